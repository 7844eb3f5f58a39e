/** What the nodes remember together about sessions; every answer may fail or be late, and callers go on without it. */
export interface SessionStore {
  get(key: string): Promise<string | null>;
  /** Keeps a value for `ttlMs` unless one is kept already; true when it was taken. */
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
}

/** A store that also keeps sets, and values for as long as they are used. */
export interface IndexedSessionStore extends SessionStore {
  /** Keeps a value that is kept for another `ttlMs` from now. */
  touch(key: string, ttlMs: number): Promise<void>;
  /** Adds to a set, which is kept for `ttlMs` from now. */
  addMember(key: string, member: string, ttlMs: number): Promise<void>;
  members(key: string): Promise<string[]>;
  /** Gives all members of a set and forgets it. */
  takeMembers(key: string): Promise<string[]>;
}
