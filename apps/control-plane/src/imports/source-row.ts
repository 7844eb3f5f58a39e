/** A program as a client's settings name it. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
}

/** What a source says of one server, in the shape that all sources share. Its values are still to be judged. */
export interface Candidate {
  /** What makes the row the same row next time. */
  readonly key: string;
  /** A slug that was asked for, and must be had or refused; else one is made from `title`. */
  readonly slug?: string | undefined;
  readonly title: string;
  readonly name?: string | undefined;
  readonly url: string;
  readonly transport: string;
  /** Of a program that is to be started: it has no address. */
  readonly command?: Command | undefined;
  /** Names of headers and variables that came with values, or are wanted: their values are gone already. */
  readonly credentials: readonly string[];
  readonly tags: readonly string[];
  readonly environment: string | null;
  readonly description: string | null;
}

/** One row as it was received. */
export interface SourceRow {
  /** Where it begins in what was sent, from 1. */
  readonly line: number;
  /** Throws a RowRefused for a row that cannot be understood or is nothing for a registry of addresses. */
  read(): Candidate;
}

/** Why a row fails, or is skipped because it is none of ours. `detail` never repeats what the row contains. */
export class RowRefused extends Error {
  override readonly name = 'RowRefused';

  constructor(
    readonly code: string,
    readonly detail: string,
    readonly more: { readonly pointer?: string; readonly key?: string; readonly isSkipped?: boolean } = {},
  ) {
    super(code);
  }
}

/** The whole import cannot go on; `message` is for the operator. */
export class SourceUnreadable extends Error {
  override readonly name = 'SourceUnreadable';
}
