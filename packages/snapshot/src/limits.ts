/** A head as it travels, in bytes of JSON. */
export const HEAD_BYTES_MAX = 8 * 1024;
/** What of that may be changes which it carries; all else in it takes less than 2 KiB. */
export const CARRIED_BYTES_MAX = 4 * 1024;
/** One chunk, index or root. */
export const CHUNK_BYTES_MAX = 5 * 1024 * 1024;
/** Everything one snapshot consists of; room for 130,000 tools of 3 KiB. */
export const SNAPSHOT_BYTES_MAX = 512 * 1024 * 1024;
/** How long chunks stay in Redis after they were last written or touched. */
export const CHUNK_LIFETIME_S = 24 * 60 * 60;
/** How far the wall clocks of publisher and node may differ before heads are refused. */
export const CLOCK_SKEW_MAX_MS = 5 * 60 * 1000;
/** What a publisher adds to `issuedAt` for `notAfter`: the longest `staleAfter` there is, since staleness decides before it. */
export const HEAD_LIFETIME_MS = 24 * 60 * 60 * 1000;
