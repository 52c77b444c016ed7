// SPDX-License-Identifier: Apache-2.0

// rustls_peer CA HOST PORT PATH... : one connection per path, HTTP/1.1 by hand over rustls. Prints
// the number of answers 200 and stays until its input ends.
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

fn get(config: &Arc<rustls::ClientConfig>, host: &str, port: u16, path: &str) -> bool {
    let name = rustls::pki_types::ServerName::try_from(host.to_string()).unwrap();
    let session = rustls::ClientConnection::new(config.clone(), name).unwrap();
    let mut stream = rustls::StreamOwned::new(session, TcpStream::connect((host, port)).unwrap());
    let mut answer = Vec::new();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let _ = stream.read_to_end(&mut answer);
    answer.starts_with(b"HTTP/1.1 200")
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let mut authority = std::io::BufReader::new(std::fs::File::open(&arguments[1]).unwrap());
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut authority) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let config = Arc::new(
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth(),
    );
    let (host, port) = (&arguments[2], arguments[3].parse().unwrap());
    let good = arguments[4..].iter().filter(|path| get(&config, host, port, path)).count();
    println!("{good}");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
