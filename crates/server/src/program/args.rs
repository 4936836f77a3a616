//! The command line. Each option is an environment variable too, and a key of the configuration file.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use getclip::{Profile, Timestamp};
use getclip_archive::StreamName;

const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  the archive, a file or the network failed
    2  the command line, the configuration or the environment is wrong
    3  there is no such stream, or no fragment
    4  media was refused, or a check found something that is not repaired
  130  interrupted; what was reported as stored is stored";

const EXAMPLES: &str = "\
Examples:
  getclip-server import --archive ./archive --stream front-door recording.mkv
  getclip-server serve --archive ./archive
  AWS_ENDPOINT_URL_KINESIS_VIDEO=http://127.0.0.1:8080 python your_script.py";

/// Keeps streams of fragments, and serves clips of them to unmodified AWS clients
#[derive(Debug, Parser)]
#[command(name = "getclip-server", version, after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Arguments {
    /// TOML file whose keys are the long names of options
    #[arg(long, global = true, value_name = "FILE", env = "GETCLIP_CONFIG")]
    pub(super) config: Option<PathBuf>,

    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve clips over HTTP
    #[command(after_help = EXIT_CODES)]
    Serve(Box<ServeArguments>),
    /// Store the fragments of recordings in a stream, which is created where it is missing
    #[command(after_help = EXIT_CODES)]
    Import(ImportArguments),
    /// List streams: retention, fragments, size, first and last recorded time
    Streams(StreamsArguments),
    /// List the fragments of a stream
    Fragments(FragmentsArguments),
    /// Look for what is wrong in the archive, and repair it
    Check(CheckArguments),
    /// Delete what is past its retention, and what is left of deleted streams
    Prune(PruneArguments),
    /// Sign a link to a clip, which anyone can open until it expires
    Link(LinkArguments),
}

#[derive(Debug, Args)]
pub(super) struct ArchiveArguments {
    /// Where the streams are kept: a folder, or s3://, gs:// or az:// with a bucket and a prefix
    #[arg(long, value_name = "DIR|URL", env = "GETCLIP_ARCHIVE", default_value = "./archive")]
    pub(super) archive: String,

    /// The most requests to the store at a time
    #[arg(long, value_name = "N", env = "GETCLIP_STORE_CONNECTIONS", default_value = "64")]
    pub(super) store_connections: NonZeroUsize,

    /// Memory for plans of recent clips, which make ranges of one clip cheap
    #[arg(long, value_name = "BYTES", env = "GETCLIP_CACHED_PLAN_BYTES", default_value_t = 32 << 20)]
    pub(super) cached_plan_bytes: u64,
}

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    #[command(flatten)]
    pub(super) archive: ArchiveArguments,

    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", env = "GETCLIP_LISTEN", default_value = "127.0.0.1:8080")]
    pub(super) listen: SocketAddr,

    /// URL by which clients reach this server, for GetDataEndpoint [default: the address that a client connected to]
    #[arg(long, value_name = "URL", env = "GETCLIP_PUBLIC_URL")]
    pub(super) public_url: Option<String>,

    /// TOML file with the keys that may sign requests
    #[arg(long, value_name = "FILE", env = "GETCLIP_CREDENTIALS", conflicts_with = "no_auth")]
    pub(super) credentials: Option<PathBuf>,

    /// Listen on an address that is not this machine's alone, and ask nobody who they are
    #[arg(long, env = "GETCLIP_NO_AUTH")]
    pub(super) no_auth: bool,

    /// Certificate chain in PEM: serve HTTPS
    #[arg(long, value_name = "FILE", env = "GETCLIP_TLS_CERT", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,

    /// Private key of the certificate in PEM
    #[arg(long, value_name = "FILE", env = "GETCLIP_TLS_KEY", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,

    /// Origins of web pages that may ask from a browser, with commas between them, or * for all
    #[arg(long, value_name = "ORIGINS", env = "GETCLIP_CORS_ORIGINS", value_delimiter = ',')]
    pub(super) cors_origins: Vec<String>,

    /// Region in the ARNs of streams
    #[arg(long, value_name = "REGION", env = "GETCLIP_REGION", default_value = "us-east-1", value_parser = region)]
    pub(super) region: String,

    /// Account in the ARNs of streams: 12 digits
    #[arg(long, value_name = "DIGITS", env = "GETCLIP_ACCOUNT", default_value = "000000000000", value_parser = account)]
    pub(super) account: String,

    /// Which codecs a clip takes: all that play, or those that GetClip documents
    #[arg(long, value_enum, env = "GETCLIP_PROFILE", default_value_t = ProfileChoice::Extended)]
    pub(super) profile: ProfileChoice,

    /// Keep what is whole of damaged fragments, instead of the exceptions of the service
    #[arg(long, env = "GETCLIP_KEEP_DAMAGED")]
    pub(super) keep_damaged: bool,

    /// The most connections at a time; further ones wait
    #[arg(long, value_name = "N", env = "GETCLIP_MAX_CONNECTIONS", default_value = "4096")]
    pub(super) max_connections: NonZeroUsize,

    /// The most requests at a time; further ones get 503, which SDKs retry
    #[arg(long, value_name = "N", env = "GETCLIP_MAX_REQUESTS", default_value = "4096")]
    pub(super) max_requests: NonZeroUsize,

    /// The most responses with media at a time; further ones get ClientLimitExceededException
    #[arg(long, value_name = "N", env = "GETCLIP_MAX_CLIPS", default_value = "256")]
    pub(super) max_clips: NonZeroUsize,

    /// The most producers at a time that send by PutMedia
    #[arg(long, value_name = "N", env = "GETCLIP_MAX_PRODUCERS", default_value = "2048")]
    pub(super) max_producers: NonZeroUsize,

    /// The most memory for fragments that are arriving; past it producers wait
    #[arg(long, value_name = "BYTES", env = "GETCLIP_INGEST_BYTES", default_value = "1073741824")]
    pub(super) ingest_bytes: NonZeroUsize,

    /// The most memory for fragments of streams without retention, which are kept for 5 minutes for GetMedia
    #[arg(long, value_name = "BYTES", env = "GETCLIP_RECENT_BYTES", default_value = "1073741824")]
    pub(super) recent_bytes: NonZeroUsize,

    /// The most streams that CreateStream makes [default: no limit]
    #[arg(long, value_name = "N", env = "GETCLIP_MAX_STREAMS")]
    pub(super) max_streams: Option<NonZeroUsize>,

    /// The most fragments in a clip by URL, which may ask for more than GetClip's 200
    #[arg(long, value_name = "N", env = "GETCLIP_MAX_URL_FRAGMENTS", default_value = "100000")]
    pub(super) max_url_fragments: NonZeroUsize,

    /// Give a client up that takes nothing of a response for this long
    #[arg(long, value_name = "SECONDS", env = "GETCLIP_STALL_TIME", default_value_t = 120)]
    pub(super) stall_time: u64,

    /// When told to stop, let responses under way go on for this long
    #[arg(long, value_name = "SECONDS", env = "GETCLIP_SHUTDOWN_TIME", default_value_t = 60)]
    pub(super) shutdown_time: u64,

    /// How often to delete what is past its retention; 0 leaves that to `prune`
    #[arg(long, value_name = "MINUTES", env = "GETCLIP_PRUNE_INTERVAL", default_value_t = 10)]
    pub(super) prune_interval: u64,

    /// Form of the log, one line for each request, on standard error
    #[arg(long, value_enum, env = "GETCLIP_LOG", default_value_t = LogForm::Text)]
    pub(super) log: LogForm,

    /// What the log has
    #[arg(long, value_enum, env = "GETCLIP_LOG_LEVEL", default_value_t = LogLevel::Info)]
    pub(super) log_level: LogLevel,
}

#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    #[command(flatten)]
    pub(super) archive: ArchiveArguments,

    /// The stream to store fragments in
    #[arg(long, value_name = "NAME", env = "GETCLIP_STREAM")]
    pub(super) stream: StreamName,

    /// Keep fragments of a new stream for HOURS, 1 to 87600 [default: for ever]
    #[arg(long, value_name = "HOURS", env = "GETCLIP_RETENTION", value_parser = clap::value_parser!(u32).range(1..=87_600))]
    pub(super) retention: Option<u32>,

    /// Index recordings where they are, and copy nothing
    #[arg(long, env = "GETCLIP_IN_PLACE")]
    pub(super) in_place: bool,

    /// Start of the recording, for fragments that carry no producer timestamp: RFC 3339 or Unix seconds
    #[arg(long, value_name = "T", env = "GETCLIP_RECORDING_START", allow_negative_numbers = true)]
    pub(super) recording_start: Option<Timestamp>,

    /// Store a fragment that its recording ends in the middle of too
    #[arg(long, env = "GETCLIP_KEEP_INCOMPLETE")]
    pub(super) keep_incomplete: bool,

    /// Matroska file, folder of fragment files (taken in the order of their names), URL of an object, or - for standard
    /// input
    #[arg(required = true, value_name = "INPUT")]
    pub(super) inputs: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct StreamsArguments {
    #[command(flatten)]
    pub(super) archive: ArchiveArguments,

    /// Print one JSON object for each stream, on a line of its own
    #[arg(long)]
    pub(super) json: bool,

    /// Streams whose names begin with this
    #[arg(value_name = "PREFIX", default_value = "")]
    pub(super) prefix: String,
}

#[derive(Debug, Args)]
pub(super) struct FragmentsArguments {
    #[command(flatten)]
    pub(super) archive: ArchiveArguments,

    /// The stream
    #[arg(value_name = "STREAM")]
    pub(super) stream: StreamName,

    /// List fragments that start at T or later: RFC 3339 or Unix seconds
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(super) start: Option<Timestamp>,

    /// List fragments that start at T or earlier
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(super) end: Option<Timestamp>,

    /// The clock that --start and --end mean
    #[arg(long, value_enum, default_value_t = Clock::Producer)]
    pub(super) by: Clock,

    /// Print one JSON object for each fragment, on a line of its own
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    pub(super) archive: ArchiveArguments,

    /// Check this stream only
    #[arg(long, value_name = "NAME")]
    pub(super) stream: Option<StreamName>,

    /// Repair what can be repaired
    #[arg(long)]
    pub(super) repair: bool,

    /// Read all media too, not only the indexes
    #[arg(long)]
    pub(super) media: bool,
}

#[derive(Debug, Args)]
pub(super) struct PruneArguments {
    #[command(flatten)]
    pub(super) archive: ArchiveArguments,
}

#[derive(Debug, Args)]
pub(super) struct LinkArguments {
    /// TOML file with the keys that may sign requests
    #[arg(long, value_name = "FILE", env = "GETCLIP_CREDENTIALS")]
    pub(super) credentials: PathBuf,

    /// ID of the key that signs
    #[arg(long, value_name = "ID", env = "GETCLIP_KEY")]
    pub(super) key: String,

    /// How long the link is good, 1 to 604800 (7 days)
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..=604_800))]
    pub(super) expires: u32,

    /// URL of the clip, such as https://example.org/streams/front-door/clip.mp4?start=1700000000&end=1700000060
    #[arg(value_name = "URL")]
    pub(super) url: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Clock {
    /// When the producer recorded the fragment
    Producer,
    /// When the server received it
    Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ProfileChoice {
    /// H.264 or H.265, with AAC, A-law, mu-law or no audio
    Extended,
    /// The table in the documentation of GetClip, to the letter
    Service,
}

impl From<ProfileChoice> for Profile {
    fn from(choice: ProfileChoice) -> Self {
        match choice {
            ProfileChoice::Extended => Self::Extended,
            ProfileChoice::Service => Self::Service,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogForm {
    /// Lines to read
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogLevel {
    /// What has to be looked after
    Error,
    /// And what may have to be
    Warn,
    /// And each request
    Info,
    /// And why connections end
    Debug,
}

fn region(text: &str) -> Result<String, String> {
    let is_region =
        !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if is_region { Ok(text.to_owned()) } else { Err("expected small letters, digits and '-'".into()) }
}

fn account(text: &str) -> Result<String, String> {
    let is_account = text.len() == 12 && text.chars().all(|c| c.is_ascii_digit());
    if is_account { Ok(text.to_owned()) } else { Err("expected 12 digits".into()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }
}
