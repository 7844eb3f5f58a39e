/** A package's command, as it is started. */
export interface PackageCommand {
  /** The program and what comes before the profile's arguments. */
  readonly command: readonly string[];
  /** Where the package's own commands lie. */
  readonly path: string;
}
