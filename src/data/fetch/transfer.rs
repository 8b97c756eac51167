//! One request: from where the partial file ends to where the mirror does.

use std::io::{self, Read, Write};

use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body, Proxy, Timeout};

use super::{FetchOptions, Partial};
use crate::data::error::DataError;
use crate::files::FileError;

/// How much larger than its payload a body may be. A gzip stream of incompressible data is larger by less than 0.1 %.
const EXCESS: u64 = 1 << 20;

/// How a request ended.
pub(super) enum Outcome {
    /// The mirror sent all it promised.
    Complete,
    /// The connection broke within the body; what came is kept and can be resumed.
    Broken(String),
    /// The mirror does not serve the file, or stopped sending; asking again is pointless.
    Refused(String),
}

/// A client with the timeouts of the options.
pub(super) struct Transfer {
    agent: Agent,
    stall: String,
}

impl Transfer {
    pub(super) fn new(options: &FetchOptions) -> Transfer {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("narrows/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(options.connect))
            .timeout_connect(Some(options.connect))
            .timeout_per_read(Some(options.stall))
            .timeout_per_write(Some(options.stall))
            .proxy(if options.proxy { Proxy::try_from_env() } else { None })
            .build();
        Transfer { agent: config.into(), stall: format!("it sent nothing for {:?}", options.stall) }
    }

    /// Asks `url` for what `partial` lacks and appends it. Only errors of the local file are errors here.
    pub(super) fn run(
        &self,
        url: &str,
        payload_bytes: u64,
        partial: &mut Partial,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<Outcome, DataError> {
        let limit = payload_bytes + EXCESS;
        if partial.size()? > limit {
            partial.clear()?;
        }
        loop {
            let offset = partial.size()?;
            let response = match self.ask(url, offset) {
                Ok(response) => response,
                Err(reason) => return Ok(Outcome::Refused(reason)),
            };
            match response.status() {
                StatusCode::OK => partial.clear()?,
                StatusCode::PARTIAL_CONTENT if offset > 0 && range_start(&response) == Some(offset) => {}
                // The rest cannot be had. Asking for the whole ends: without an offset no answer is this one.
                StatusCode::PARTIAL_CONTENT if offset > 0 => {
                    partial.clear()?;
                    continue;
                }
                // There is nothing after the partial file: it is whole, or it is another file.
                StatusCode::RANGE_NOT_SATISFIABLE if offset > 0 => return Ok(Outcome::Complete),
                status => return Ok(Outcome::Refused(format!("it answered {status}"))),
            }
            return self.receive(response, limit, partial, progress);
        }
    }

    fn ask(&self, url: &str, offset: u64) -> Result<Response<Body>, String> {
        let mut request = self.agent.get(url).header("Accept-Encoding", "identity");
        if offset > 0 {
            request = request.header("Range", format!("bytes={offset}-"));
        }
        request.call().map_err(|error| self.explain(error))
    }

    fn receive(
        &self,
        mut response: Response<Body>,
        limit: u64,
        partial: &mut Partial,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<Outcome, DataError> {
        let mut size = partial.size()?;
        let total = response.body().content_length().map(|rest| size.saturating_add(rest));
        let too_large = format!("the body is larger than the {limit} bytes that this file can need");
        if total.is_some_and(|total| total > limit) {
            partial.clear()?;
            return Ok(Outcome::Refused(too_large));
        }
        let mut body = response.body_mut().as_reader();
        let mut block = vec![0; 1 << 16];
        let (file, path) = partial.end()?;
        progress(size, total);
        loop {
            let read = match body.read(&mut block) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Ok(match ureq::Error::from(error) {
                        timeout @ ureq::Error::Timeout(_) => Outcome::Refused(self.explain(timeout)),
                        other => Outcome::Broken(format!("the connection broke after {size} bytes ({other})")),
                    });
                }
            };
            size += read as u64;
            if size > limit {
                partial.clear()?;
                return Ok(Outcome::Refused(too_large));
            }
            file.write_all(&block[..read]).map_err(FileError::on("write", path))?;
            progress(size, total);
        }
        Ok(match total {
            Some(total) if size < total => Outcome::Broken(format!("the body ended after {size} of {total} bytes")),
            _ => Outcome::Complete,
        })
    }

    fn explain(&self, error: ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(Timeout::PerRead | Timeout::PerWrite) => self.stall.clone(),
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => "it could not be reached in time".to_string(),
            other => other.to_string(),
        }
    }
}

/// The first position of `Content-Range: bytes FIRST-LAST/TOTAL` (RFC 9110, section 14.4).
fn range_start(response: &Response<Body>) -> Option<u64> {
    let value = response.headers().get("content-range")?.to_str().ok()?;
    value.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}
