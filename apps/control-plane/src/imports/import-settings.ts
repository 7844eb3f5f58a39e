import type { Egress } from '@portcullis/egress';

/** What an installation says about imports. */
export class ImportSettings {
  constructor(
    readonly egress: Egress,
    /** Rows that one import may have. */
    readonly rowsMax: number,
    /** The registry that is pulled from when none is named. */
    readonly registryUrl: string | undefined,
    /** How long a sender may be silent in the middle of a body. */
    readonly silenceMs: number,
  ) {}
}
