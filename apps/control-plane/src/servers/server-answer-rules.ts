import { AnswerRules } from '@portcullis/contracts/answer-rules';
import type { Server } from '@portcullis/database';

/** What agents may get of what a server answers, members in the order of the contract; null where that is everything. */
export const serverAnswerRulesOf = ({ answerRules }: Pick<Server, 'answerRules'>): AnswerRules | null =>
  answerRules === null ? null : AnswerRules.parse(answerRules);
