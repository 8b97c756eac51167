//! Downloads from a server on the loopback that answers as real mirrors do on bad days.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};
use narrows::data::catalog::Format;
use narrows::data::fetch::Fetched;
use narrows::data::{Catalog, CatalogSet, FetchOptions, FileStatus, fetch, verify};
use sha2::{Digest, Sha256};

/// What the server does with one request.
#[derive(Clone)]
enum Act {
    /// 200, or 206 where a range is asked for.
    Serve(Vec<u8>),
    /// As `Serve`, but the connection closes after this many bytes of the body.
    Break(Vec<u8>, usize),
    /// As `Serve`, but silence after this many bytes of the body.
    Stall(Vec<u8>, usize),
    /// 200 with the whole body, whatever range is asked for.
    IgnoreRange(Vec<u8>),
    /// 206 with the whole body and a Content-Range that starts at 0.
    WrongRange(Vec<u8>),
    /// Silence before the status line.
    Mute,
    /// This status and no body.
    Status(&'static str),
    /// 200 that promises this many bytes.
    Promise(u64),
    /// 200 without a length, this many zeros, until the connection closes.
    Endless(usize),
}

/// A request: its path, and the first byte of the range it asked for.
type Request = (String, Option<usize>);

struct Server {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
    sent: Arc<Mutex<Vec<usize>>>,
}

impl Server {
    /// Answers one request with each act, in order, and any further one with 500.
    fn start(acts: Vec<Act>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let (requests, sent) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let (seen, counted) = (requests.clone(), sent.clone());
        // The thread ends with the test's process; a muted connection must not hold up the next one.
        thread::spawn(move || {
            let mut acts = VecDeque::from(acts);
            for stream in listener.incoming() {
                let act = acts.pop_front().unwrap_or(Act::Status("500 Internal Server Error"));
                let (seen, counted) = (seen.clone(), counted.clone());
                thread::spawn(move || answer(stream.unwrap(), act, &seen, &counted));
            }
        });
        Server { address, requests, sent }
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, act: Act, requests: &Mutex<Vec<Request>>, sent: &Mutex<Vec<usize>>) {
    let (mut path, mut range) = (String::new(), None);
    for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
        let lower = line.to_lowercase();
        if path.is_empty() {
            path = line.split(' ').nth(1).unwrap().to_string();
        } else if let Some(first) = lower.strip_prefix("range: bytes=") {
            range = Some(first.trim_end_matches('-').parse::<usize>().unwrap());
        }
    }
    requests.lock().unwrap().push((path, range));

    let mut send = |head: String, body: &[u8]| {
        sent.lock().unwrap().push(body.len());
        // The client may have hung up; that is its right.
        let _ = stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes());
        let _ = stream.write_all(body);
    };
    let mut ranged = |body: &[u8], kept: usize| {
        let (first, total) = (range.unwrap_or(0), body.len());
        let rest = &body[first.min(total)..];
        let head = match range {
            _ if first >= total => "416 Range Not Satisfiable\r\nContent-Length: 0".to_string(),
            None => format!("200 OK\r\nContent-Length: {total}"),
            Some(_) => format!(
                "206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {first}-{}/{total}",
                rest.len(),
                total - 1
            ),
        };
        send(head, &rest[..kept.min(rest.len())]);
    };
    match act {
        Act::Serve(body) => ranged(&body, usize::MAX),
        Act::Break(body, kept) => ranged(&body, kept),
        Act::Stall(body, kept) => {
            ranged(&body, kept);
            thread::sleep(Duration::from_secs(60));
        }
        Act::IgnoreRange(body) => send(format!("200 OK\r\nContent-Length: {}", body.len()), &body),
        Act::WrongRange(body) => {
            let (length, last) = (body.len(), body.len() - 1);
            let head =
                format!("206 Partial Content\r\nContent-Length: {length}\r\nContent-Range: bytes 0-{last}/{length}");
            send(head, &body);
        }
        Act::Mute => thread::sleep(Duration::from_secs(60)),
        Act::Status(status) => send(format!("{status}\r\nContent-Length: 0"), &[]),
        Act::Promise(bytes) => send(format!("200 OK\r\nContent-Length: {bytes}"), &[]),
        Act::Endless(bytes) => send("200 OK".to_string(), &vec![0; bytes]),
    }
}

/// What the mirrors publish: 40,000 bytes of 6 random bits each. They compress to 31 kB, so that a broken body is broken
/// in the middle and levels of compression differ.
fn payload() -> Vec<u8> {
    (0..1250u32).flat_map(|block| Sha256::digest(block.to_le_bytes()).to_vec()).map(|byte| byte & 63).collect()
}

fn gzip(payload: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(payload).unwrap();
    encoder.finish().unwrap()
}

fn published() -> Vec<u8> {
    gzip(&payload(), 6)
}

/// MNIST with all files but the first taken out, and the first one replaced by the payload above.
fn one_file_set() -> CatalogSet {
    let mut set = Catalog::builtin().find("mnist").unwrap().clone();
    set.files.truncate(1);
    set.files[0].bytes = payload().len() as u64;
    set.files[0].sha256 = Sha256::digest(payload()).iter().map(|byte| format!("{byte:02x}")).collect();
    set
}

const FILE: &str = "train-images-idx3-ubyte.gz";
const PARTIAL: &str = "train-images-idx3-ubyte.gz.partial";

fn patient_for(stall: u64, servers: &[&Server]) -> FetchOptions {
    FetchOptions {
        connect: Duration::from_secs(5),
        stall: Duration::from_millis(stall),
        mirrors: Some(servers.iter().map(|server| server.address.clone()).collect()),
        proxy: false,
    }
}

fn fetch_into(folder: &Path, servers: &[&Server]) -> Result<Vec<Fetched>, String> {
    // Long enough for a loaded machine; the tests of silence shorten it.
    fetch(&one_file_set(), folder, &patient_for(20_000, servers), &mut |_| {}).map_err(|error| error.to_string())
}

fn downloaded(server: &Server) -> Vec<Fetched> {
    vec![Fetched { file: FILE.into(), mirror: Some(server.address.clone()) }]
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn assert_only_the_good_file(folder: &Path) {
    assert_eq!(names_in(folder), [FILE]);
    assert_eq!(verify(&one_file_set(), folder)[0].status, FileStatus::Ok);
}

#[test]
fn a_good_mirror_gives_the_file_and_progress_up_to_its_size() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("not").join("yet").join("there");
    let server = Server::start(vec![Act::Serve(published())]);
    let mut seen = Vec::new();
    let result = fetch(&one_file_set(), &folder, &patient_for(20_000, &[&server]), &mut |progress| {
        assert_eq!((progress.file, progress.mirror), (FILE, server.address.as_str()));
        seen.push((progress.bytes, progress.total));
    });
    assert_eq!(result.unwrap(), downloaded(&server));
    assert_only_the_good_file(&folder);
    let size = published().len() as u64;
    assert_eq!(seen.first(), Some(&(0, Some(size))));
    assert_eq!(seen.last(), Some(&(size, Some(size))));
    assert!(seen.is_sorted());
    assert_eq!(server.requests(), [(format!("/{FILE}"), None)]);
}

#[test]
fn wrong_bytes_are_thrown_away_and_the_next_mirror_asked_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut other = payload();
    other[777] ^= 1;
    let bad = Server::start(vec![Act::Serve(gzip(&other, 6))]);
    let good = Server::start(vec![Act::Serve(published())]);
    assert_eq!(fetch_into(folder.path(), &[&bad, &good]).unwrap(), downloaded(&good));
    assert_only_the_good_file(folder.path());
    assert_eq!(bad.requests().len(), 1);
    assert_eq!(good.requests(), [(format!("/{FILE}"), None)]);
}

#[test]
fn a_broken_body_is_resumed_and_only_the_rest_transferred() {
    let folder = tempfile::tempdir().unwrap();
    let body = published();
    let server = Server::start(vec![Act::Break(body.clone(), 15_000), Act::Serve(body.clone())]);
    assert_eq!(fetch_into(folder.path(), &[&server]).unwrap(), downloaded(&server));
    assert_only_the_good_file(folder.path());
    assert_eq!(server.requests(), [(format!("/{FILE}"), None), (format!("/{FILE}"), Some(15_000))]);
    assert_eq!(*server.sent.lock().unwrap(), [15_000, body.len() - 15_000]);
}

#[test]
fn a_later_call_resumes_what_an_earlier_one_left() {
    let folder = tempfile::tempdir().unwrap();
    let body = published();
    let first = Server::start(vec![Act::Break(body.clone(), 10_000), Act::Break(body.clone(), 5_000)]);
    let sentence = fetch_into(folder.path(), &[&first]).unwrap_err();
    assert!(sentence.contains("after 15000"), "{sentence}");
    assert_eq!(names_in(folder.path()), [PARTIAL]);
    let second = Server::start(vec![Act::Serve(body)]);
    assert_eq!(fetch_into(folder.path(), &[&second]).unwrap(), downloaded(&second));
    assert_eq!(second.requests()[0].1, Some(15_000));
    assert_only_the_good_file(folder.path());
}

#[test]
fn a_server_that_ignores_or_mistakes_the_range_starts_the_file_over() {
    for (second, requests) in [
        (vec![Act::IgnoreRange(published())], vec![Some(9_000)]),
        (vec![Act::WrongRange(published()), Act::Serve(published())], vec![Some(9_000), None]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(PARTIAL), &published()[..9_000]).unwrap();
        let server = Server::start(second);
        let result = fetch(&one_file_set(), folder.path(), &patient_for(20_000, &[&server]), &mut |progress| {
            assert!(progress.bytes <= published().len() as u64, "{} bytes of a shorter file", progress.bytes);
        });
        assert_eq!(result.unwrap(), downloaded(&server));
        assert_only_the_good_file(folder.path());
        assert_eq!(server.requests().into_iter().map(|(_, range)| range).collect::<Vec<_>>(), requests);
    }
}

#[test]
fn a_part_of_another_compression_is_fetched_again_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let mut foreign = gzip(&payload(), 0);
    foreign.truncate(20_000);
    fs::write(folder.path().join(PARTIAL), foreign).unwrap();
    let server = Server::start(vec![Act::Serve(published()), Act::Serve(published())]);
    assert_eq!(fetch_into(folder.path(), &[&server]).unwrap(), downloaded(&server));
    assert_only_the_good_file(folder.path());
    assert_eq!(server.requests().into_iter().map(|(_, range)| range).collect::<Vec<_>>(), [Some(20_000), None]);
}

#[test]
fn a_part_that_is_already_whole_is_put_in_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(PARTIAL), published()).unwrap();
    let server = Server::start(vec![Act::Serve(published())]);
    fetch_into(folder.path(), &[&server]).unwrap();
    assert_only_the_good_file(folder.path());
    assert_eq!(*server.sent.lock().unwrap(), [0]);
}

#[test]
fn a_missing_file_sends_on_to_the_next_mirror() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Server::start(vec![Act::Status("404 Not Found")]);
    let good = Server::start(vec![Act::Serve(published())]);
    assert_eq!(fetch_into(folder.path(), &[&missing, &good]).unwrap(), downloaded(&good));
    assert_only_the_good_file(folder.path());
    assert_eq!(missing.requests().len(), 1);
}

#[test]
fn silence_before_or_within_the_body_sends_on_to_the_next_mirror() {
    for (silent, resumed_at) in [(Act::Mute, None), (Act::Stall(published(), 12_000), Some(12_000))] {
        let folder = tempfile::tempdir().unwrap();
        let mute = Server::start(vec![silent]);
        let good = Server::start(vec![Act::Serve(published())]);
        let start = Instant::now();
        let result = fetch(&one_file_set(), folder.path(), &patient_for(300, &[&mute, &good]), &mut |_| {});
        assert_eq!(result.unwrap(), downloaded(&good));
        assert!(start.elapsed() < Duration::from_secs(20), "waited {:?}", start.elapsed());
        assert_only_the_good_file(folder.path());
        assert_eq!((mute.requests().len(), good.requests()), (1, vec![(format!("/{FILE}"), resumed_at)]));
    }
}

#[test]
fn bodies_that_are_too_large_are_refused_promised_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let promised = Server::start(vec![Act::Promise(1 << 40)]);
    let endless = Server::start(vec![Act::Endless(3 << 20)]);
    let sentence = fetch_into(folder.path(), &[&promised, &endless]).unwrap_err();
    let limit = format!("larger than the {} bytes", payload().len() + (1 << 20));
    assert_eq!(sentence.matches(&limit).count(), 2, "{sentence}");
    assert!(names_in(folder.path()).is_empty());
}

#[test]
fn when_all_fail_the_sentence_names_each_mirror_with_its_reason_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Server::start(vec![Act::Status("404 Not Found")]);
    let closed = Server {
        // Bound and closed at once: nobody listens there.
        address: format!("http://{}/", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()),
        requests: Arc::default(),
        sent: Arc::default(),
    };
    let wrong = Server::start(vec![Act::Serve(gzip(&[0; 40_000], 6))]);
    let short = Server::start(vec![Act::Serve(gzip(&payload()[1..], 6))]);
    let html = Server::start(vec![Act::Serve(b"<html>please log in</html>".to_vec())]);
    let servers = [&missing, &closed, &wrong, &short, &html];
    let sentence = fetch_into(folder.path(), &servers).unwrap_err();
    assert!(sentence.starts_with(&format!("cannot fetch {FILE}: every mirror failed: ")), "{sentence}");
    let reasons = ["404 Not Found", "refused", "SHA-256 is", "is 39999 bytes", "is 26 bytes"];
    let parts: Vec<&str> = sentence.split("; http").collect();
    assert_eq!(parts.len(), servers.len(), "{sentence}");
    for ((part, server), reason) in parts.iter().zip(servers).zip(reasons) {
        assert!(part.contains(server.address.strip_prefix("http").unwrap()), "{part}");
        assert!(part.contains(reason), "{reason:?} is not in {part:?}");
    }
    assert!(names_in(folder.path()).is_empty());
}

#[test]
fn a_good_file_is_left_alone_and_a_bad_one_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join(FILE);
    fs::write(&target, gzip(&payload(), 9)).unwrap();
    let before = fs::metadata(&target).unwrap().modified().unwrap();
    let server = Server::start(vec![Act::Serve(published())]);
    let result = fetch_into(folder.path(), &[&server]).unwrap();
    assert_eq!(result, [Fetched { file: FILE.into(), mirror: None }]);
    assert!(server.requests().is_empty());
    assert_eq!(fs::metadata(&target).unwrap().modified().unwrap(), before);

    fs::write(&target, &published()[..5_000]).unwrap();
    assert_eq!(fetch_into(folder.path(), &[&server]).unwrap(), downloaded(&server));
    assert_only_the_good_file(folder.path());
}

#[test]
fn a_wrong_file_that_is_read_before_the_fetched_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let set = CatalogSet { format: Format::Matlab, ..one_file_set() };
    let hiding = folder.path().join(FILE);
    fs::write(&hiding, b"wrong").unwrap();
    let server = Server::start(vec![Act::Serve(payload())]);
    let sentence = fetch(&set, folder.path(), &patient_for(20_000, &[&server]), &mut |_| {}).unwrap_err().to_string();
    assert!(sentence.ends_with(&format!("is wrong; remove {}", hiding.display())), "{sentence}");
    fs::remove_file(hiding).unwrap();
    assert_eq!(verify(&set, folder.path())[0].status, FileStatus::Ok);
}

#[test]
fn two_downloads_of_one_file_do_not_write_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let other = fs::File::create(folder.path().join(PARTIAL)).unwrap();
    other.try_lock().unwrap();
    let server = Server::start(vec![Act::Serve(published())]);
    let sentence = fetch_into(folder.path(), &[&server]).unwrap_err();
    assert!(sentence.contains("another process is writing that file"), "{sentence}");
    assert!(server.requests().is_empty());
}
