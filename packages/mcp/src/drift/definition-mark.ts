import type { OddCharacter } from './odd-characters.js';

export const definitionMarkCodes = [
  'hidden_characters',
  'bidirectional_characters',
  'instruction_like',
  'new_url',
  'no_longer_read_only',
  'became_destructive',
  'became_open_world',
  'new_required_parameter',
  'new_parameter',
  'wider_schema',
  'removed_enum',
] as const;

/** Something a person should look at twice before approving: what, where (JSON pointer into the definition), and in words. */
export interface DefinitionMark {
  readonly code: (typeof definitionMarkCodes)[number];
  readonly pointer: string;
  readonly detail: string;
  /** The first of the characters, where the mark is about characters. */
  readonly characters?: readonly OddCharacter[];
}
