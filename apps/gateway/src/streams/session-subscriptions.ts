import type { Session } from '../session/agent-sessions.js';

/** What the nodes know together of legacy sessions' subscriptions and streams. Every answer may fail; news may be missed. */
export interface SessionSubscriptions {
  /** False when the session has as many as it may. */
  add(session: Session, uri: string, countMax: number): Promise<boolean>;
  remove(session: Session, uri: string): Promise<void>;
  of(session: Session): Promise<readonly string[]>;
  /** Says that this stream is now the session's. */
  announceStream(session: Session, streamName: string): void;
  /** Told of what other nodes did, by the session's short name. */
  onChanged: (sessionName: string) => void;
  onStream: (sessionName: string, streamName: string) => void;
}
