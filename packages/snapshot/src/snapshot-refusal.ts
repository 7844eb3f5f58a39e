/** Why a head or the snapshot it names was not taken. Stable: metrics, status and acknowledgements carry them. */
export type RefusalReason =
  | 'head_malformed' // not a head at all
  | 'key_unknown' // signed by a key this node was not given
  | 'signature_invalid'
  | 'expired' // past its notAfter
  | 'issued_in_future' // the clocks of node and publisher differ too much
  | 'schema_newer' // this build must be updated first
  | 'rollback' // an older epoch or revision than the one that is served
  | 'chunk_missing' // neither Redis nor the control plane has it
  | 'digest_mismatch' // bytes that are not what the signed tree names
  | 'chunk_too_large'
  | 'snapshot_too_large'
  | 'chunk_malformed' // not parsable, or not of the expected shape
  | 'chunk_misplaced' // a chunk or entry outside of its bucket, a root of another revision
  | 'duplicate' // two entries claim the same id, slug or key
  | 'internal'; // a fault of this process, such as a source that fails in an unforeseen way

/** Raised inside this package when a head or snapshot must not replace what is served. `detail` holds no content. */
export class SnapshotRefusal extends Error {
  override readonly name = 'SnapshotRefusal';

  constructor(
    readonly reason: RefusalReason,
    detail = '',
    options?: ErrorOptions,
  ) {
    super(detail === '' ? reason : `${reason}: ${detail}`, options);
  }
}
