#!/bin/sh
# Users and directories after `make install`, and what is left to a person. Safe to run again.
set -eu

if [ "$(id -u)" != 0 ]; then
    echo "install: not root: users, directories and unit were left alone" >&2
    exit 0
fi

getent group pgbastion >/dev/null || groupadd --system pgbastion
getent passwd pgbastion >/dev/null ||
    useradd --system --gid pgbastion --home-dir /var/lib/pgbastion --no-create-home --shell /usr/sbin/nologin pgbastion
if getent passwd postgres >/dev/null; then
    usermod --append --groups pgbastion postgres
    install -d -m 0750 -o postgres -g postgres /var/lib/pgbastion
    install -d -m 0750 -o root -g postgres /etc/pgbastion
else
    echo "install: there is no user postgres; install PostgreSQL, then run make install again" >&2
fi

if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    if systemctl is-enabled --quiet postgresql.service 2>/dev/null; then
        echo "install: postgresql.service is enabled and would start the server that pgbastion supervises;" >&2
        echo "install: disable it without stopping a server: systemctl disable postgresql.service" >&2
    fi
fi
