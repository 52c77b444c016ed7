# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests of TLS share: certificates, servers, the Go peer, commands."""
import os
import subprocess

import flowtrace_e2e as e2e

PEERS = e2e.ROOT / "tests" / "e2e" / "peers" / "tls"
NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/nginx.log warn;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;
  fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {dir}/server.pem; ssl_certificate_key {dir}/server.key;
    location / {{ return 200 "nginx\\n"; }}
  }}
}}
"""


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} failed: {done.stderr}")
    return done.stdout


def make_certificates(directory):
    """A throwaway authority, ca.pem, and a server of 127.0.0.1 that it vouches for."""
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    run(*new, "-x509", "-subj", "/CN=flowtrace test authority", "-keyout", directory / "ca.key",
        "-out", directory / "ca.pem", "-addext", "keyUsage=critical,keyCertSign")
    run(*new, "-subj", "/CN=server", "-keyout", directory / "server.key",
        "-out", directory / "server.csr")
    (directory / "server.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    run("openssl", "x509", "-req", "-days", "2", "-in", directory / "server.csr",
        "-CA", directory / "ca.pem", "-CAkey", directory / "ca.key", "-CAcreateserial",
        "-extfile", directory / "server.ext", "-out", directory / "server.pem")


def build_go_peer(out, *flags, **environment):
    path = os.environ["PATH"] + ":/usr/local/go/bin"
    run("go", "build", "-o", out, *flags, ".", cwd=PEERS / "go",
        env={**os.environ, "PATH": path, **environment})


def nginx_command(home, port, *changes):
    """nginx, its certificate in this folder; a change: a text of its configuration, and a new one."""
    text = NGINX.format(dir=home, port=port)
    for change in changes:
        text = text.replace(*change)
    (home / "nginx.conf").write_text(text)
    return ["/usr/sbin/nginx", "-e", home / "nginx.log", "-p", home, "-c", home / "nginx.conf"]


def server_commands(directory, python, go_peer, ports):
    """name -> command, of the servers beside nginx."""
    cert, key = directory / "server.pem", directory / "server.key"
    commands = {
        "node": ["node", PEERS / "server.js"],
        "aiohttp": [python, PEERS / "server_aiohttp.py"],
        "go": [go_peer, "serve"],
    }
    return {name: [*command, ports[name], cert, key] for name, command in commands.items()}
