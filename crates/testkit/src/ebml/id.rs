//! Element IDs of RFC 8794 and RFC 9559, marker bits included.

/// EBML.
pub const EBML: u32 = 0x1A45_DFA3;
/// EBMLVersion.
pub const EBML_VERSION: u32 = 0x4286;
/// EBMLReadVersion.
pub const EBML_READ_VERSION: u32 = 0x42F7;
/// EBMLMaxIDLength.
pub const EBML_MAX_ID_LENGTH: u32 = 0x42F2;
/// EBMLMaxSizeLength.
pub const EBML_MAX_SIZE_LENGTH: u32 = 0x42F3;
/// DocType.
pub const DOC_TYPE: u32 = 0x4282;
/// DocTypeVersion.
pub const DOC_TYPE_VERSION: u32 = 0x4287;
/// DocTypeReadVersion.
pub const DOC_TYPE_READ_VERSION: u32 = 0x4285;
/// Void.
pub const VOID: u32 = 0xEC;
/// CRC-32.
pub const CRC_32: u32 = 0xBF;

/// Segment.
pub const SEGMENT: u32 = 0x1853_8067;
/// SeekHead.
pub const SEEK_HEAD: u32 = 0x114D_9B74;
/// Seek.
pub const SEEK: u32 = 0x4DBB;
/// SeekID.
pub const SEEK_ID: u32 = 0x53AB;
/// SeekPosition.
pub const SEEK_POSITION: u32 = 0x53AC;
/// Info.
pub const INFO: u32 = 0x1549_A966;
/// TimestampScale.
pub const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
/// Duration.
pub const DURATION: u32 = 0x4489;
/// MuxingApp.
pub const MUXING_APP: u32 = 0x4D80;
/// WritingApp.
pub const WRITING_APP: u32 = 0x5741;
/// Cues.
pub const CUES: u32 = 0x1C53_BB6B;
/// CuePoint.
pub const CUE_POINT: u32 = 0xBB;
/// CueTime.
pub const CUE_TIME: u32 = 0xB3;
/// CueTrackPositions.
pub const CUE_TRACK_POSITIONS: u32 = 0xB7;
/// CueTrack.
pub const CUE_TRACK: u32 = 0xF7;
/// CueClusterPosition.
pub const CUE_CLUSTER_POSITION: u32 = 0xF1;

/// Tracks.
pub const TRACKS: u32 = 0x1654_AE6B;
/// TrackEntry.
pub const TRACK_ENTRY: u32 = 0xAE;
/// TrackNumber.
pub const TRACK_NUMBER: u32 = 0xD7;
/// TrackUID.
pub const TRACK_UID: u32 = 0x73C5;
/// TrackType.
pub const TRACK_TYPE: u32 = 0x83;
/// FlagLacing.
pub const FLAG_LACING: u32 = 0x9C;
/// DefaultDuration.
pub const DEFAULT_DURATION: u32 = 0x23_E383;
/// TrackTimestampScale.
pub const TRACK_TIMESTAMP_SCALE: u32 = 0x23_314F;
/// Name.
pub const NAME: u32 = 0x536E;
/// CodecID.
pub const CODEC_ID: u32 = 0x86;
/// CodecPrivate.
pub const CODEC_PRIVATE: u32 = 0x63A2;
/// CodecDelay.
pub const CODEC_DELAY: u32 = 0x56AA;
/// SeekPreRoll.
pub const SEEK_PRE_ROLL: u32 = 0x56BB;
/// Video.
pub const VIDEO: u32 = 0xE0;
/// PixelWidth.
pub const PIXEL_WIDTH: u32 = 0xB0;
/// PixelHeight.
pub const PIXEL_HEIGHT: u32 = 0xBA;
/// DisplayWidth.
pub const DISPLAY_WIDTH: u32 = 0x54B0;
/// DisplayHeight.
pub const DISPLAY_HEIGHT: u32 = 0x54BA;
/// DisplayUnit.
pub const DISPLAY_UNIT: u32 = 0x54B2;
/// Colour.
pub const COLOUR: u32 = 0x55B0;
/// MatrixCoefficients.
pub const MATRIX_COEFFICIENTS: u32 = 0x55B1;
/// Range.
pub const RANGE: u32 = 0x55B9;
/// TransferCharacteristics.
pub const TRANSFER_CHARACTERISTICS: u32 = 0x55BA;
/// Primaries.
pub const PRIMARIES: u32 = 0x55BB;
/// MaxCLL.
pub const MAX_CLL: u32 = 0x55BC;
/// MaxFALL.
pub const MAX_FALL: u32 = 0x55BD;
/// MasteringMetadata.
pub const MASTERING_METADATA: u32 = 0x55D0;
/// PrimaryRChromaticityX.
pub const PRIMARY_R_CHROMATICITY_X: u32 = 0x55D1;
/// PrimaryRChromaticityY.
pub const PRIMARY_R_CHROMATICITY_Y: u32 = 0x55D2;
/// PrimaryGChromaticityX.
pub const PRIMARY_G_CHROMATICITY_X: u32 = 0x55D3;
/// PrimaryGChromaticityY.
pub const PRIMARY_G_CHROMATICITY_Y: u32 = 0x55D4;
/// PrimaryBChromaticityX.
pub const PRIMARY_B_CHROMATICITY_X: u32 = 0x55D5;
/// PrimaryBChromaticityY.
pub const PRIMARY_B_CHROMATICITY_Y: u32 = 0x55D6;
/// WhitePointChromaticityX.
pub const WHITE_POINT_CHROMATICITY_X: u32 = 0x55D7;
/// WhitePointChromaticityY.
pub const WHITE_POINT_CHROMATICITY_Y: u32 = 0x55D8;
/// LuminanceMax.
pub const LUMINANCE_MAX: u32 = 0x55D9;
/// LuminanceMin.
pub const LUMINANCE_MIN: u32 = 0x55DA;
/// Projection.
pub const PROJECTION: u32 = 0x7670;
/// ProjectionType.
pub const PROJECTION_TYPE: u32 = 0x7671;
/// ProjectionPoseRoll.
pub const PROJECTION_POSE_ROLL: u32 = 0x7675;
/// Audio.
pub const AUDIO: u32 = 0xE1;
/// SamplingFrequency.
pub const SAMPLING_FREQUENCY: u32 = 0xB5;
/// Channels.
pub const CHANNELS: u32 = 0x9F;
/// BitDepth.
pub const BIT_DEPTH: u32 = 0x6264;
/// ContentEncodings.
pub const CONTENT_ENCODINGS: u32 = 0x6D80;
/// ContentEncoding.
pub const CONTENT_ENCODING: u32 = 0x6240;
/// ContentEncodingType.
pub const CONTENT_ENCODING_TYPE: u32 = 0x5033;
/// ContentCompression.
pub const CONTENT_COMPRESSION: u32 = 0x5034;
/// ContentCompAlgo.
pub const CONTENT_COMP_ALGO: u32 = 0x4254;
/// ContentCompSettings.
pub const CONTENT_COMP_SETTINGS: u32 = 0x4255;
/// ContentEncryption.
pub const CONTENT_ENCRYPTION: u32 = 0x5035;

/// Cluster.
pub const CLUSTER: u32 = 0x1F43_B675;
/// Timestamp.
pub const TIMESTAMP: u32 = 0xE7;
/// Position.
pub const POSITION: u32 = 0xA7;
/// PrevSize.
pub const PREV_SIZE: u32 = 0xAB;
/// SimpleBlock.
pub const SIMPLE_BLOCK: u32 = 0xA3;
/// BlockGroup.
pub const BLOCK_GROUP: u32 = 0xA0;
/// Block.
pub const BLOCK: u32 = 0xA1;
/// BlockDuration.
pub const BLOCK_DURATION: u32 = 0x9B;
/// ReferenceBlock.
pub const REFERENCE_BLOCK: u32 = 0xFB;

/// Tags.
pub const TAGS: u32 = 0x1254_C367;
/// Tag.
pub const TAG: u32 = 0x7373;
/// SimpleTag.
pub const SIMPLE_TAG: u32 = 0x67C8;
/// TagName.
pub const TAG_NAME: u32 = 0x45A3;
/// TagString.
pub const TAG_STRING: u32 = 0x4487;

/// An ID of legal form that no Matroska element has.
pub const UNKNOWN: u32 = 0x4FFD;
