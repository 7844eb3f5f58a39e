import { hash, timingSafeEqual } from 'node:crypto';

/** Who may come in: bearers of a token whose SHA-256 the control plane has told. */
export class AccessTokens {
  private hashes: readonly Buffer[] = [];

  /** Hashes as lower-case hex; more than one while tokens change. */
  take(hashes: readonly string[]): void {
    this.hashes = hashes.map((one) => Buffer.from(one, 'hex'));
  }

  /** Takes the same time for every wrong token. */
  admits(authorization: string | undefined): boolean {
    const isBearer = authorization?.startsWith('Bearer ') === true;
    const given = hash('sha256', isBearer ? authorization.slice(7) : '', 'buffer');
    let admits = false;
    for (const known of this.hashes) if (known.length === given.length && timingSafeEqual(known, given)) admits = true;
    return isBearer && admits;
  }
}
