# shellcheck shell=bash
# The Linux guest: Debian's cloud kernel, unpacked and never installed, the initramfs built here, and an empty
# disk, the base of all the labs' disks.

linux_folder="$FERMATA_CACHE/linux"

# Raise to have every cache unpacked anew after a change of what is taken from the kernel's package.
linux_layout=1

prepare_linux() {
    if [ "$(cat "$linux_folder/.layout" 2>/dev/null)" != "$linux_layout" ]; then
        step linux "unpacking Debian's cloud kernel into $linux_folder"
        fetch_kernel
    fi
    step linux "kernel $(cat "$linux_folder/version")"
    build_initramfs
    if [ ! -e "$linux_folder/disk.qcow2" ]; then
        quietly qemu-img create -q -f qcow2 "$linux_folder/disk.qcow2" 16M
    fi
}

fetch_kernel() {
    local new="$linux_folder.new" package release
    refresh_apt
    # linux-image-cloud-amd64 is empty and depends on the package of the newest kernel.
    package="$(apt-cache depends --important linux-image-cloud-amd64 | awk '$1 == "Depends:" {print $2; exit}')"
    [ -n "$package" ] || die "apt does not know linux-image-cloud-amd64; see $FERMATA_CACHE/setup.log for what apt said"
    release="${package#linux-image-}"

    rm -rf "$new"
    unpack_packages "$new/download" "$new/unpacked" "$package"
    mv "$new/unpacked/boot/vmlinuz-$release" "$new/vmlinuz"
    mkdir "$new/modules"
    local module
    for module in "${guest_modules[@]}"; do
        mv "$new/unpacked/lib/modules/$release/kernel/$module.ko" "$new/modules/"
    done
    rm -rf "$new/unpacked"
    printf '%s\n' "$release" >"$new/version"
    printf '%s\n' "$linux_layout" >"$new/.layout"
    rm -rf "$linux_folder"
    mv "$new" "$linux_folder"
}

# Only what is not part of the kernel itself; by their order in the guest's `init`, which loads them.
guest_modules=(
    drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_pci_modern_dev
    drivers/virtio/virtio_pci_legacy_dev drivers/virtio/virtio_pci net/core/failover drivers/net/net_failover
    drivers/net/virtio_net drivers/block/virtio_blk
)

# Built anew when a source or the kernel has changed.
build_initramfs() {
    local sources="${root:?}/qemu-fixtures/linux" output="$linux_folder/initramfs.cpio.gz" digest
    digest="$(cat "$linux_folder/version" /bin/busybox "$sources"/{build.sh,init,dhcp-event,lab.c} | sha256sum)"
    if [ ! -e "$output" ] || [ "$(cat "$output.sources" 2>/dev/null)" != "$digest" ]; then
        step initramfs "building $output"
        quietly "$sources/build.sh" "$linux_folder/modules" "$output"
        printf '%s\n' "$digest" >"$output.sources"
    fi
    step initramfs "$(stat -c %s "$output") bytes"
}
