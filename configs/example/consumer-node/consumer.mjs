// Verifies and opens the sealed events of Lintas's counters straight from the
// broker, with public libraries: jose (JWS, Ed25519), age-encryption, mqtt.
//
//   node consumer.mjs --broker mqtt://127.0.0.1:1883 --keys hub-keys/counters --identity age.txt [--count N]
//
// --keys     folder of the counters' public keys, <counter>.jwk: one key or a set of them
// --identity file of an age identity to which the counters encrypt
// --client   MQTT client id; the broker keeps what comes while this program is away
// --ca, --certificate, --key   PEM files for a broker address that begins with mqtts://
// --count    end after so many events
//
// It prints one JSON object a line: events with their records, and whatever is
// wrong as {"rejected": why}. A message is taken from the broker only when its
// line has been written, so that after a crash it comes again: pass over an id
// that you have. This is no hub: it acknowledges nothing to a counter.
import { createHash, webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Decrypter } from 'age-encryption'
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose'
import mqtt from 'mqtt'

globalThis.crypto ??= webcrypto // Node 18

const { values: options } = parseArgs({
  options: {
    broker: { type: 'string', default: 'mqtt://127.0.0.1:1883' },
    keys: { type: 'string' }, identity: { type: 'string' },
    client: { type: 'string', default: 'lintas-consumer' },
    ca: { type: 'string' }, certificate: { type: 'string' }, key: { type: 'string' },
    count: { type: 'string', default: '0' },
  },
})
if (!options.keys || !options.identity) {
  console.error('consumer.mjs needs --keys and --identity; see its first lines')
  process.exit(64)
}

const decrypter = new Decrypter()
for (const line of readFileSync(options.identity, 'utf8').split('\n')) {
  if (line.startsWith('AGE-SECRET-KEY-')) decrypter.addIdentity(line.trim())
}

// trusted gives a counter's key, read anew each time: one may be added.
async function trusted(counter, kid) {
  let text
  try {
    text = readFileSync(`${options.keys}/${counter}.jwk`, 'utf8')
  } catch {
    throw new Error('the counter has no trusted key')
  }
  const file = JSON.parse(text)
  const jwk = (file.keys ?? [file]).find((k) => k.kid === kid)
  if (!jwk) throw new Error('signed with a key that is not trusted for the counter')
  return importJWK(jwk, 'EdDSA')
}

// heads is where each chain stands: [sequence, hash of the sealed event].
const heads = new Map()

// inChain checks that an event follows the one before. What comes again is known
// by its sequence; a chain of which the beginning was missed starts anywhere.
function inChain(counter, event, hash) {
  const chain = `${counter} ${event.epoch}`
  const sequence = BigInt(event.sequence)
  const [last, head] = heads.get(chain) ?? []
  if (last !== undefined && sequence <= last) return 'again'
  if (last !== undefined && sequence === last + 1n && event.prevhash !== head) {
    throw new Error('does not follow the event before it')
  }
  heads.set(chain, [sequence, hash])
  return last !== undefined && sequence > last + 1n ? 'after a gap' : 'new'
}

async function open(topic, payload) {
  const counter = topic.split('/')[2]
  const sealed = payload.toString('latin1')
  const header = decodeProtectedHeader(sealed)
  if (header.alg !== 'EdDSA') throw new Error('not signed with EdDSA')
  const { payload: body } = await compactVerify(sealed, await trusted(counter, header.kid), { algorithms: ['EdDSA'] })
  const event = JSON.parse(new TextDecoder().decode(body))
  if (event.source !== `/counters/${counter}`) throw new Error("another counter's event")
  if (header.typ === 'lintas-tombstone+jws') {
    heads.set(`${counter} ${event.epoch}`, [BigInt(event.sequence), event.hash])
    return { counter, sequence: event.sequence, owed: true } // the event itself follows
  }
  if (header.typ !== 'lintas-event+jws') throw new Error('not a sealed event')
  const place = inChain(counter, event, createHash('sha256').update(sealed, 'latin1').digest('base64url'))
  const record = JSON.parse(await decrypter.decrypt(Buffer.from(event.data_base64, 'base64'), 'text'))
  return { counter, id: event.id, type: event.type, time: event.time, epoch: event.epoch, sequence: event.sequence, place, record }
}

const file = (name) => (name ? readFileSync(name) : undefined)
const client = mqtt.connect(options.broker, {
  clientId: options.client, clean: false, protocolVersion: 4,
  ca: file(options.ca), cert: file(options.certificate), key: file(options.key),
})
let left = Number(options.count)
let ending = false

// PUBACK goes out when done is called.
client.handleMessage = (packet, done) => {
  if (ending) return
  open(packet.topic, packet.payload)
    .catch((error) => ({ topic: packet.topic, rejected: error.message }))
    .then((line) => {
      process.stdout.write(JSON.stringify(line) + '\n', () => {
        done()
        if (left > 0 && --left === 0) {
          ending = true
          client.end(false, {}, () => process.exit(0))
        }
      })
    })
}
client.on('connect', () => client.subscribe('lintas/v1/+/event', { qos: 1 }, (error) => {
  if (error) throw error
  console.error('receiving')
}))
client.on('error', (error) => console.error(error.message))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => client.end(false, {}, () => process.exit(0)))
