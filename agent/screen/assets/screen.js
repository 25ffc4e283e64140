// The page's script. The server renders; this swaps the parts it sends, turns
// keys into posts, and covers the page when the stream falls silent. It knows
// no decision and no word: both stand in the page.
'use strict';
(() => {
  const GUARD = 500;     // ms after a new verdict in which no key counts: bounce
  const SILENCE = 6000;  // ms without a beat until the page is covered
  const ANSWER = 8000;   // ms to wait for a decision's answer
  const { body } = document;
  const part = (id) => document.getElementById(id);
  const policy = window.trustedTypes?.createPolicy('lintas', { createHTML: (s) => s }) ?? { createHTML: (s) => s };
  const parser = new DOMParser();

  let stream;
  let heard = performance.now();  // when the agent last spoke
  let live = false;               // a frame has come over this stream
  let covered = false;            // nothing below can be used
  let busy = false;               // a post is under way
  let armed = 0;                  // keys count from then on
  let settled = '';               // the inspection that was decided last
  let mark = part('keys').dataset.mark;

  // Stream.

  function connect() {
    stream?.close();
    stream = new EventSource('/events');
    heard = performance.now();
    stream.addEventListener('hello', (e) => {
      if (e.data !== document.documentElement.dataset.build) location.reload();
    });
    stream.addEventListener('frame', (e) => {
      renew(e.data);
      hear();
    });
    stream.addEventListener('beat', () => { if (live) hear(); });
    stream.addEventListener('error', () => {
      lose();
      if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
    });
  }

  function hear() {
    heard = performance.now();
    live = true;
    body.dataset.link = 'live';
    cover();
  }

  // lose hides what may no longer hold, and takes it out of the page.
  function lose() {
    live = false;
    body.dataset.link = 'lost';
    for (const id of ['banner', 'detail', 'keys', 'aside']) part(id).replaceChildren();
    part('keys').dataset.inspection = '';
    mark = '';
    cover();
  }

  function cover() {
    const covers = !live || part('fault').hasChildNodes();
    if (covers === covered) return;
    covered = covers;
    for (const e of document.querySelectorAll('header, main')) e.inert = covered;
    calm();
  }

  setInterval(() => {
    if (performance.now() - heard > SILENCE) {
      lose();
      connect();
    }
  }, 1000);

  // Parts.

  function renew(html) {
    const fresh = parser.parseFromString(policy.createHTML(html), 'text/html');
    for (const e of [...fresh.body.children]) morph(part(e.id), e);
    const now = part('keys').dataset.mark;
    if (now !== mark) {
      mark = now;
      calm();
      if (now) {
        say('');
        guard();
      }
    }
  }

  // morph makes an element like another and keeps what is the same, so that
  // focus stays and only real changes are read out. Another mark renews it whole.
  function morph(old, fresh) {
    const whole = old.dataset.mark !== fresh.dataset.mark;
    for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value && name !== 'aria-checked') old.setAttribute(name, value);
    const from = [...old.childNodes];
    const to = [...fresh.childNodes];
    if (whole || from.length !== to.length || from.some((n, i) => n.nodeName !== to[i].nodeName)) {
      old.replaceChildren(...to);
      return;
    }
    from.forEach((n, i) => {
      if (n.nodeType === Node.ELEMENT_NODE) morph(n, to[i]);
      else if (n.data !== to[i].data) n.data = to[i].data;
    });
  }

  // calm ends whatever was begun. What the page has to say stays: the officer
  // may need it when the stream is back.
  function calm() {
    delete body.dataset.asking;
    for (const d of document.querySelectorAll('dialog[open]')) d.close();
  }

  // guard lets no key count for a moment.
  function guard() {
    armed = performance.now() + GUARD;
    body.dataset.guard = '';
    setTimeout(() => { if (performance.now() >= armed) delete body.dataset.guard; }, GUARD + 20);
  }

  function say(code) {
    const message = code && (part(`message-${code}`) ?? part('message-unanswered'));
    for (const e of [part('message'), ...document.querySelectorAll('dialog[open] .problem')]) {
      e.replaceChildren(...(message ? [message.content.cloneNode(true)] : []));
    }
  }

  // Keys and posts.

  function open(dialog) {
    if (!live) return;
    calm();
    say('');
    dialog.showModal();
    guard();
  }

  // press is a key or a click on a button of the page.
  function press(button) {
    const { open: dialog, post: path, decision, direction, set, state, value, outcome, of } = button.dataset;
    if (dialog) open(part(dialog));
    else if ('close' in button.dataset) button.closest('dialog').close();
    else if ('back' in button.dataset) calm();
    else if (path) post(path, {});
    else if (set !== undefined) post('/direction', { direction: set }).then(calm);
    else if ('confirm' in button.dataset) confirm();
    else if (decision) decide(decision, direction);
    else if (state) tell(state, value);
    else if (outcome) post('/outcome', { inspection: of, outcome });
    else if ('seen' in button.dataset) button.ariaChecked = String(button.ariaChecked !== 'true');
    else if ('journey' in button.dataset) post('/journey', { journey: part('journey-text').value }).then((code) => { if (!code) calm(); });
  }

  // tell hands over what the traveller said, with what was said before.
  function tell(field, value) {
    const { inspection, purpose, return_reason } = part('keys').dataset;
    if (!live || !inspection || inspection === settled || performance.now() < armed) return;
    post('/state', { inspection, purpose, return_reason, [field]: value }).then(calm);
  }

  async function decide(decision, direction) {
    const { inspection, direction: known } = part('keys').dataset;
    if (!live || !inspection || inspection === settled || performance.now() < armed) return;
    if (decision === 'proceed' && !known && !direction) {
      say('');
      body.dataset.asking = '';
      guard();
      return;
    }
    const seen = [...document.querySelectorAll('[data-seen][aria-checked=true]')].map((b) => b.dataset.seen).join();
    const code = await post('/decide', { inspection, decision, direction: known || direction || '', seen });
    if (code === '') settled = inspection;
    if (code === 'direction') body.dataset.asking = '';
  }

  async function confirm() {
    const { inspection } = part('keys').dataset;
    if (!live || !inspection || inspection === settled || performance.now() < armed) return;
    await post('/confirm', { inspection });
  }

  // post sends a form, shows what went wrong, and gives its code.
  async function post(path, fields) {
    if (busy) return 'busy';
    busy = true;
    body.dataset.busy = '';
    say('');
    let code = 'unanswered';
    try {
      const answer = await fetch(path, {
        method: 'POST', body: new URLSearchParams(fields), redirect: 'error', signal: AbortSignal.timeout(ANSWER),
      });
      code = answer.ok ? '' : (await answer.json()).code;
    } catch { /* no answer, or none that can be read */ }
    busy = false;
    delete body.dataset.busy;
    say(code);
    return code;
  }

  // Enter ends every scan of a scanner that poses as a keyboard: it presses no
  // button here. Space does, for who walks the page with Tab.
  for (const event of ['keydown', 'keypress']) {
    addEventListener(event, (e) => { if (e.key === 'Enter') e.preventDefault(); }, { capture: true });
  }
  addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.altKey || e.metaKey || e.shiftKey) return;
    if (/^F([1-9]|10|12)$/.test(e.key)) e.preventDefault(); // help, search, address bar, menu
    if (e.repeat) return;
    const dialog = document.querySelector('dialog[open]');
    if (e.key === 'Escape' && !dialog) {
      if ('asking' in body.dataset) calm();
      else if (part('message').hasChildNodes()) say('');
      else if (live) part('notice').querySelector('button')?.click();
      return;
    }
    const button = [...(dialog ?? document).querySelectorAll('[data-key]')].find((b) => b.dataset.key === e.key && b.checkVisibility());
    if (!button) return;
    e.preventDefault();
    press(button);
  });
  addEventListener('click', (e) => {
    const button = e.target.closest?.('button');
    if (button) press(button);
  });

  cover();
  if (mark) guard();
  connect();
})();
