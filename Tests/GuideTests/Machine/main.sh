#!/bin/bash
# Inside the private root: what a person has done on a machine before the guide begins (install), then wait for ever.
set -eu
cd /
ip link set lo up
# The guide speaks of PostgreSQL 16; here it is the version that is installed.
version=$(ls /usr/lib/postgresql | sort -n | tail -1)
[ "$version" = 16 ] || ln -s "$version" /usr/lib/postgresql/16
mkdir -p /run/postgresql /run/sshd /root/.ssh /usr/local/lib/systemd/system /usr/local/sbin /backup
install -d -o postgres -g postgres -m 2775 /run/postgresql
install -d -o postgres -g postgres /var/lib/postgresql
install -m 0755 /run/machine/pgbastion /usr/local/bin/pgbastion
install -m 0755 /run/machine/pgbastion /root/pgbastion-new
sed 's|@PREFIX@|/usr/local|g' /run/machine/pgbastion.service.in > /usr/local/lib/systemd/system/pgbastion.service
sh /run/machine/post-install.sh
for command in systemctl journalctl docker watch; do
    install -m 0755 "/run/machine/$command" "/usr/local/sbin/$command"
done
cp /run/machine/hosts /etc/hosts
cp /run/machine/id_ed25519 /run/machine/id_ed25519.pub /root/.ssh/
cp /run/machine/id_ed25519.pub /root/.ssh/authorized_keys
printf 'Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n' > /root/.ssh/config
chmod -R go= /root/.ssh
cp /run/machine/id_ed25519 /run/sshd/host_key
chmod 0600 /run/sshd/host_key
/usr/sbin/sshd -f /dev/null -h /run/sshd/host_key -o PidFile=/run/sshd/pid -o UsePAM=no -o PermitRootLogin=yes \
    -o SetEnv="PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" -o StrictModes=no
touch /run/machine/ready
# Process 1 reaps what is orphaned: bash does so while it waits.
while :; do
    sleep 3600 &
    wait
done
