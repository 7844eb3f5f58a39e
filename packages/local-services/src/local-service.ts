/** A Postgres or Redis process that belongs to the caller: it ends when the caller ends, however the caller ends. */
export interface LocalService {
  /** With user and password. Anyone who has it has the service, so it is for configuration, never for logs. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Settles when the process has ended, whoever ended it. */
  readonly exited: Promise<void>;
  /** Asks the process to end cleanly and waits until it has; safe to call twice. */
  stop(): Promise<void>;
}

/** Receives one line of progress, for a person to read. It never holds a secret. */
export type ProgressLog = (line: string) => void;

export type LocalServiceFault =
  | 'already_running' // a live process of an earlier run serves this directory
  | 'port_taken' // something else listens there
  | 'not_installed' // no binary to be had on this machine
  | 'not_permitted' // this user may not run it, or not in this directory
  | 'failed'; // the process ended, or did not answer in time

/** Why a local service could not be started. The message says what was found and what to do about it, and holds no secret. */
export class LocalServiceError extends Error {
  override readonly name = 'LocalServiceError';
  readonly fault: LocalServiceFault;
  /** The process in the way, for `already_running`. */
  readonly pid: number | undefined;
  /** The port in question, for `port_taken`. */
  readonly port: number | undefined;

  constructor(fault: LocalServiceFault, message: string, details: { pid?: number; port?: number; cause?: unknown } = {}) {
    super(message, { cause: details.cause });
    this.fault = fault;
    this.pid = details.pid;
    this.port = details.port;
  }
}
