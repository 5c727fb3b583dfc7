#!/bin/bash
# Process 1 of a machine of the guide's tests: a private root over this system's, in namespaces of its own.
# usage: init.sh NAME FILES    FILES: directory with the program, the unit, these scripts and the ssh keys
set -eu
name=$1 files=$2
mount --make-rprivate /
hostname "$name"
mount -t tmpfs machine /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
root=/mnt/root
mount --rbind /dev "$root/dev"
mount -t tmpfs shm "$root/dev/shm"
chmod 1777 "$root/dev/shm"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"
mount -t tmpfs run "$root/run"
mount -t tmpfs tmp "$root/tmp"
chmod 1777 "$root/tmp"
mkdir "$root/run/machine"
cp -r "$files/." "$root/run/machine/"
exec chroot "$root" /bin/bash /run/machine/main.sh
