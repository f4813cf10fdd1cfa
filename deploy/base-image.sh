#!/bin/sh
# Makes a base image without any registry: this machine's Node.js with the libraries it needs, busybox and the
# certificates of public authorities, packed and imported into the engine that the docker command talks to.
#
#   deploy/base-image.sh [IMAGE]        default: swarmd-base:local
#
# Wants: node, docker, tar, and busybox-static (Debian package) as /bin/busybox.
set -eu

image=${1:-swarmd-base:local}
node=$(readlink -f "$(command -v node)")
busybox=$(command -v busybox || echo /bin/busybox)

if ! [ -x "$busybox" ] || ldd "$busybox" >/dev/null 2>&1; then
  echo "base-image: a static busybox is needed: install the Debian package busybox-static" >&2
  exit 1
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT INT TERM
chmod 755 "$root"

# One folder for programs, reachable by every name people and scripts use.
mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/var/lib" "$root/run" "$root/root"
for name in bin sbin; do ln -s usr/bin "$root/$name"; done
ln -s bin "$root/usr/sbin"
mkdir -m 1777 "$root/tmp"

cp "$busybox" "$root/usr/bin/busybox"
"$busybox" --list | while read -r applet; do
  [ "$applet" = busybox ] || ln -s busybox "$root/usr/bin/$applet"
done

cp "$node" "$root/usr/bin/node"
# Libraries keep their paths, since the loader's own path is part of the program. "name => /path (…)" or "/path (…)".
# The last three are loaded by name at run time, to find hosts.
{
  ldd "$node" | sed -n 's|^[^/]*\(/[^ ]*\) (.*|\1|p'
  libraries=$(ldd "$node" | sed -n 's|.*=> \(/.*\)/libc\.so.*|\1|p')
  for name in libnss_files.so.2 libnss_dns.so.2 libresolv.so.2; do
    [ -e "$libraries/$name" ] && echo "$libraries/$name"
  done
} | sort -u | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done

[ -e /etc/ssl/certs/ca-certificates.crt ] && cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"

tar -C "$root" -c . | docker import \
  --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' \
  --change 'CMD ["/bin/sh"]' \
  --message "Node.js $(node --version) and busybox" \
  - "$image" >/dev/null
echo "$image"
