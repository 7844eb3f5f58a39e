/** A pepper under which bearer secrets are hashed. */
export interface Pepper {
  readonly keyId: string;
  readonly secret: Uint8Array;
}

/** The peppers of this installation. Each id gives the same bytes object every time it is asked for. */
export abstract class KeyRing {
  /** Under which new bearer secrets are hashed. */
  abstract currentPepper(): Promise<Pepper>;
  /** The pepper of a stored hash; undefined when it is no longer valid. */
  abstract pepper(keyId: string): Promise<Uint8Array | undefined>;
}
