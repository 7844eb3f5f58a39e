import type { Session } from '../session/agent-sessions.js';

/** What the nodes know together of legacy sessions' subscriptions and streams. Every answer may fail; news may be missed. */
export interface SessionSubscriptions {
  /** False when the session has as many as it may. */
  add(session: Session, uri: string, countMax: number): Promise<boolean>;
  remove(session: Session, uri: string): Promise<void>;
  of(session: Session): Promise<readonly string[]>;
  /** Says that the session has a new stream, and gives its number: all nodes agree on the order. */
  announceStream(session: Session): Promise<number>;
  /** Told of what other nodes did, by the session's short name. */
  onChanged: (sessionName: string) => void;
  onStream: (sessionName: string, number: number) => void;
}
