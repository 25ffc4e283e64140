#!/bin/busybox sh
# Makes and removes the links of a device below by-id, with the names that udev
# gives: usb-MAKER_MODEL_SERIAL-ifNN-port0, …-event-kbd.
device=${MDEV##*/}
remember=/run/name.$device
if [ "$ACTION" = remove ]; then
  [ -e "$remember" ] || exit 0
  link=$(cat "$remember")
  rm -f "$link" "$remember"
  rmdir "${link%/*}" 2>/dev/null # udev removes it with the last link
  exit 0
fi
# The bus has a device of the same name: the one that has a node counts.
[ "$SUBSYSTEM" != usb-serial ] || exit 0
case $device in
  event*) class=input folder=/dev/input/by-id node=/dev/input/$device end=-event-kbd ;;
  ttyUSB*) class=tty folder=/dev/serial/by-id node=/dev/$device end=-if00-port0 ;;
  *) class=tty folder=/dev/serial/by-id node=/dev/$device end=-if00 ;;
esac
at=$(readlink -f "/sys/class/$class/$device/device")
while [ ! -e "$at/idVendor" ]; do
  at=${at%/*}
  [ -n "$at" ] || exit 0 # no USB device
done
text() { cat "$at/$1" 2>/dev/null | tr -c 'A-Za-z0-9#+.:=@_\n-' '_'; }
name=usb-$(text manufacturer)_$(text product)
[ ! -e "$at/serial" ] || name=${name}_$(text serial)
mkdir -p "$folder"
# In one step, as udev does it: a link that is missing for a moment is a scanner that
# was pulled out.
ln -s "$node" "$folder/.$device.$$"
mv "$folder/.$device.$$" "$folder/$name$end"
echo "$folder/$name$end" > "$remember"
# Nobody keeps a removal from overtaking this.
[ -e "/sys/class/$class/$device" ] || rm -f "$folder/$name$end" "$remember"
