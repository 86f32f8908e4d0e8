#!/bin/bash
# A system of its own, by this one's programs and files, until it is ended: systemd as the first process of new namespaces. What it and
# its services write is on a tmpfs above this system's files, and gone with it; its control groups are below one of this one's.
# Usage: boot.sh FOLDER ROOT    FOLDER is for what it mounts, ROOT what is laid over this system's files before it starts. Needs root.
set -euo pipefail
folder="$1" over="$2" group="${1##*/}"

if [ "${3:-}" != inside ]; then
    # Control groups of version 1 (name=systemd and whatever there is), 2, or both.
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*/; do
        case "$(stat --file-system --format %T "$hierarchy")" in cgroupfs | cgroup2fs) ;; *) continue ;; esac
        mkdir "$hierarchy/$group"
        # One without processors (cpuset) takes no process.
        echo 0 2>/dev/null >"$hierarchy/$group/cgroup.procs" || rmdir "$hierarchy/$group"
    done
    exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup "$0" "$folder" "$over" inside
fi

root="$folder/root"
mount --make-rprivate /
mount -t tmpfs -o mode=755 none "$folder"
mkdir "$folder/upper" "$folder/work" "$root"
cp -a "$over/." "$folder/upper/" && chmod 755 "$folder/upper"
mount -t overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
for empty in run tmp dev/shm; do mount -t tmpfs none "$root/$empty"; done
if [ -e /sys/fs/cgroup/cgroup.procs ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs none "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd" "$root/sys/fs/cgroup/unified"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified" || true
fi
# What this system starts is none of its.
rm -rf "$root"/etc/systemd/system/*.wants "$root"/etc/fstab
ip link set lo up
cd "$root"
mkdir .old
pivot_root . .old
umount -l .old
exec env -i container=fermata PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=basic.target
