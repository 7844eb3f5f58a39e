import { z } from 'zod';
import { DefinitionKind } from '../names.js';

/** A definition that was set aside, with its place in the server's list and the reason, or where the list was cut. */
export const DiscoveryProblem = z.object({
  kind: DefinitionKind,
  index: z.number().int(),
  reason: z.string(),
  /** What the server offers from there on is not known here. */
  cut: z.boolean().optional(),
});
export type DiscoveryProblem = z.infer<typeof DiscoveryProblem>;
