/** A sealed value that this key does not open. Deliberately says nothing more: a reason would help whoever forges one. */
export class UnsealError extends Error {
  readonly code = 'secrets.unsealable';

  constructor() {
    super('The sealed value cannot be opened');
    this.name = 'UnsealError';
  }
}
