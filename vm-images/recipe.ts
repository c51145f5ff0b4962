// What a node image is made of: Debian packages, the programs taken from them, kernel modules. Changing anything here (or in
// rootfs/) gives a new image id; nothing else in the builder decides about contents.
import type { DebianArch } from './debian/archive.ts'

export const suite = 'trixie'

/** Bump when the builder itself makes something else of the same recipe. */
export const formatVersion = 1

export interface ArchFacts {
  arch: DebianArch
  /** Debian's library folder. */
  multiarch: string
  /** As `process.arch` and npm name it. */
  npmArch: 'x64' | 'arm64'
  kernelPackage: string
  /** ELF e_machine. */
  elfMachine: number
  /** The dynamic loader as binaries name it, and where it lies in the usr-merged tree. */
  loader: { name: string; path: string }
  console: string
}

export const archFacts: Record<DebianArch, ArchFacts> = {
  amd64: {
    arch: 'amd64',
    multiarch: 'x86_64-linux-gnu',
    npmArch: 'x64',
    kernelPackage: 'linux-image-cloud-amd64',
    elfMachine: 62,
    loader: { name: 'ld-linux-x86-64.so.2', path: 'usr/lib64/ld-linux-x86-64.so.2' },
    console: 'ttyS0',
  },
  arm64: {
    arch: 'arm64',
    multiarch: 'aarch64-linux-gnu',
    npmArch: 'arm64',
    kernelPackage: 'linux-image-cloud-arm64',
    elfMachine: 183,
    loader: { name: 'ld-linux-aarch64.so.1', path: 'usr/lib/ld-linux-aarch64.so.1' },
    console: 'ttyAMA0',
  },
}

const programsBase: Record<string, string> = {
  'usr/bin/busybox': 'busybox-static',
  'usr/bin/containerd': 'containerd',
  'usr/bin/containerd-shim-runc-v2': 'containerd',
  'usr/bin/ctr': 'containerd',
  'usr/bin/crun': 'crun',
  'usr/bin/ip': 'iproute2',
  'usr/sbin/nft': 'nftables',
  'usr/sbin/conntrack': 'conntrack',
  'usr/sbin/xtables-nft-multi': 'iptables',
  'usr/sbin/resize2fs': 'e2fsprogs',
  'usr/sbin/e2fsck': 'e2fsprogs',
}

/** Program in the image -> package it comes from. */
export function programs(arch: DebianArch): Record<string, string> {
  // QEMU's arm64 power button is a GPIO line that the cloud kernel has no key driver for: gpiomon waits for it.
  return arch === 'arm64' ? { ...programsBase, 'usr/bin/gpiomon': 'gpiod' } : programsBase
}

export const cniPlugins = ['bridge', 'host-local', 'loopback', 'portmap', 'firewall', 'ptp', 'bandwidth', 'host-device']
export const cniPackage = 'containernetworking-plugins'

/** Names that busybox answers to in /usr/bin, beside the real programs (which win). */
export const busyboxApplets = [
  '[', '[[', 'ar', 'arch', 'arp', 'arping', 'ascii', 'ash', 'awk', 'base64', 'basename', 'bc', 'blkdiscard', 'blockdev',
  'brctl', 'bunzip2', 'bzcat', 'bzip2', 'cat', 'chgrp', 'chmod', 'chown', 'chroot', 'clear', 'cmp', 'cp', 'cpio', 'crc32',
  'cttyhack', 'cut', 'date', 'dc', 'dd', 'depmod', 'devmem', 'df', 'diff', 'dirname', 'dmesg', 'dnsdomainname', 'dos2unix',
  'du', 'dumpleases', 'echo', 'ed', 'egrep', 'env', 'expand', 'expr', 'factor', 'fallocate', 'false', 'fatattr', 'fdisk',
  'fgrep', 'find', 'findfs', 'fold', 'free', 'freeramdisk', 'fsfreeze', 'fstrim', 'ftpget', 'ftpput', 'getfattr', 'getopt',
  'grep', 'groups', 'gunzip', 'gzip', 'head', 'hexdump', 'hostid', 'hostname', 'hwclock', 'id', 'ifconfig', 'insmod',
  'install', 'ionice', 'ipcalc', 'kill', 'killall', 'last', 'less', 'link', 'linux32', 'linux64', 'ln', 'logname', 'losetup',
  'ls', 'lsmod', 'lzcat', 'lzma', 'lzop', 'md5sum', 'mdev', 'microcom', 'mkdir', 'mke2fs', 'mkfifo', 'mknod', 'mkswap',
  'mktemp', 'modinfo', 'modprobe', 'more', 'mount', 'mt', 'mv', 'nameif', 'nc', 'netstat', 'nl', 'nproc', 'nsenter',
  'nslookup', 'nuke', 'od', 'partprobe', 'paste', 'patch', 'pidof', 'ping', 'ping6', 'pivot_root', 'printf', 'ps', 'pwd',
  'readlink', 'realpath', 'renice', 'reset', 'resume', 'rev', 'rm', 'rmdir', 'rmmod', 'route', 'run-parts', 'sed', 'seq',
  'setpriv', 'setsid', 'sh', 'sha1sum', 'sha256sum', 'sha3sum', 'sha512sum', 'shred', 'shuf', 'sleep', 'sort', 'ssl_client',
  'start-stop-daemon', 'stat', 'strings', 'stty', 'swapoff', 'swapon', 'switch_root', 'sync', 'sysctl', 'tac', 'tail', 'tar',
  'taskset', 'tc', 'tee', 'telnet', 'test', 'tftp', 'time', 'timeout', 'top', 'touch', 'tr', 'traceroute', 'traceroute6',
  'true', 'truncate', 'ts', 'tty', 'tunctl', 'udhcpc', 'udhcpc6', 'umount', 'uname', 'uncompress', 'unexpand', 'uniq',
  'unix2dos', 'unlink', 'unlzma', 'unshare', 'unxz', 'unzip', 'uptime', 'usleep', 'uudecode', 'uuencode', 'vconfig', 'vi', 'w',
  'watch', 'wc', 'wget', 'which', 'who', 'whoami', 'xargs', 'xxd', 'xz', 'xzcat', 'yes', 'zcat',
] // prettier-ignore

/** Packages with the shared libraries of the programs above; a missing one is found while building and named. */
const libraryPackages = [
  'libc6', 'libgcc-s1', 'libstdc++6', 'libcap2', 'libseccomp2', 'libsystemd0', 'libyajl2', 'libbpf1', 'libelf1t64', 'zlib1g', 'libzstd1',
  'libmnl0', 'libselinux1', 'libpcre2-8-0', 'libxtables12', 'libtirpc3t64', 'libnftables1', 'libnftnl11', 'libedit2', 'libtinfo6', 'libbsd0',
  'libmd0', 'libgmp10', 'libjansson4', 'libnetfilter-conntrack3', 'libnfnetlink0', 'libip4tc2', 'libip6tc2', 'libext2fs2t64', 'libcom-err2',
  'libblkid1', 'libuuid1', 'libss2', 'libgpiod3', 'netbase', 'catatonit', 'ncurses-base',
] // prettier-ignore

export function packageNames(arch: DebianArch): string[] {
  return [...new Set([...Object.values(programs(arch)), cniPackage, ...libraryPackages])]
}

/** Files taken as they are. */
export const dataFiles = ['etc/protocols', 'etc/services', 'usr/share/terminfo/x/xterm', 'usr/share/terminfo/x/xterm-256color', 'usr/share/terminfo/l/linux', 'usr/share/terminfo/v/vt100', 'usr/share/terminfo/s/screen'] // prettier-ignore

/** Loaded by the initramfs before the root file system can be mounted. Names as the kernel reports them (underscores). */
export const earlyModules = ['virtio_mmio', 'virtio_blk', 'erofs', 'overlay']

/**
 * Loaded by the second stage, in this order: what every node needs before its first pod. What a kernel has built in is left out while
 * building; everything else is loaded by the kernel itself on first use (modprobe, modules.alias).
 */
export const lateModules = [
  'virtio_net', 'virtio_rng', 'button', 'evdev', 'veth', 'bridge', 'br_netfilter', 'nf_conntrack', 'nf_conntrack_netlink', 'nf_tables', 'nft_compat', 'nft_ct', 'nft_nat',
  'nft_masq', 'nft_chain_nat', 'nft_reject_inet', 'nft_reject_ipv4', 'nft_redir', 'nft_limit', 'nft_numgen', 'nft_fib_inet', 'nft_hash', 'xt_addrtype', 'xt_comment',
  'xt_conntrack', 'xt_mark', 'xt_MASQUERADE', 'xt_nat', 'xt_tcpudp', 'xt_multiport',
] // prettier-ignore

/** Present for the kernel to load when somebody asks. */
export const extraModules = [
  'af_packet', 'vxlan', 'dummy', 'ifb', 'tun', 'nft_log', 'nft_socket', 'nft_tproxy', 'nft_quota', 'nft_dup_ipv4', 'nft_flow_offload', 'xt_statistic', 'xt_physdev', 'xt_REDIRECT',
  'xt_recent', 'xt_limit', 'xt_set', 'ip_set_hash_ip', 'ip_set_hash_net', 'vmw_vsock_virtio_transport', 'sch_htb', 'sch_tbf', 'sch_ingress', 'sch_netem', 'sch_fq', 'tcp_bbr',
  'act_mirred', 'cls_u32', 'cls_matchall', 'ipip', 'macvlan', 'ipvlan', 'loop', 'squashfs', 'fuse',
] // prettier-ignore

/** Modules a kernel configuration may simply not have; every other missing one is an error. */
export const optionalModules = new Set(['button', 'evdev', 'virtio_mmio', 'af_packet', 'virtio_rng', ...extraModules])

export const dataDiskGiB = 8
