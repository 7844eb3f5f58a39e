/** Why there is no token: `refused` by the authorization server, which will say so again, or not to be had at the moment. */
export type TokenFault = 'refused' | 'unavailable';

/** A request for a token that came to nothing. `reason` is the server's own error code or words of ours: never what was sent or answered. */
export class TokenError extends Error {
  readonly code = 'secrets.token';

  constructor(
    readonly fault: TokenFault,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`No token: ${reason}`, options);
    this.name = 'TokenError';
  }
}
