import { expect, test } from 'vitest';
import { expectVocabulary } from '../testing/expect-vocabulary.js';

const RUNS = 400;

test('whatever bytes come, the answer is of the vocabulary and the node lives on', async () => {
  await expect(expectVocabulary(RUNS)).resolves.toBeUndefined();
});
