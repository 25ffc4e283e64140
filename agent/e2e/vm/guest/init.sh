#!/bin/busybox sh
# The first process of the guest: loads the modules in the order in which they
# need each other, names devices as udev does, runs the readers.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /tmp /run
mount -t devpts devpts /dev/pts
while read -r module options; do
  insmod "/modules/$module.ko" $options || echo "init: cannot load $module"
done < /modules/order
mount -t configfs configfs /sys/kernel/config

# Ports of the virtual machine have names in sysfs only.
for port in /sys/class/virtio-ports/*; do
  ln -s "/dev/${port##*/}" "/dev/$(cat "$port/name")"
done
mdev -d
mdev -s

(while read -r line; do
  sh -c "$line" 2>&1
  echo "end $?"
done) <> /dev/shell >&0 &

guest /etc/lintas.toml > /dev/scans 2> /dev/log
echo "init: the readers have ended: $?"
poweroff -f
