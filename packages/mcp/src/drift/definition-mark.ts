import type { OddCharacter } from './odd-characters.js';

/** What there is to say about a definition by itself; REST has more, which only other servers' tools can give. */
export type DefinitionMarkCode =
  | 'hidden_characters'
  | 'bidirectional_characters'
  | 'instruction_like'
  | 'new_url'
  | 'no_longer_read_only'
  | 'became_destructive'
  | 'became_open_world'
  | 'new_required_parameter'
  | 'new_parameter'
  | 'wider_schema'
  | 'removed_enum';

/** Something a person should look at twice before approving: what, where (JSON pointer into the definition), and in words. */
export interface DefinitionMark {
  readonly code: DefinitionMarkCode;
  readonly pointer: string;
  readonly detail: string;
  /** The first of the characters, where the mark is about characters. */
  readonly characters?: readonly OddCharacter[];
}
