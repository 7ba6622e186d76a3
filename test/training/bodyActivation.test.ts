import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseTrainConfig } from '../../src/training/trainConfig.ts';

describe('the configuration body-activation', () => {
  it('measures a capture batch that nothing trains on, neither the encoder nor the dialogues, nor the normalisation.', async () => {
    const config = parseTrainConfig(JSON.parse(await readFile('src/training/configs/body-activation.json', 'utf8')));
    const uses = [...config.sources, ...config.pretraining.flatMap(({ sources }) => sources)];
    expect(uses).toHaveLength(2);
    for (const { data, splits, dev } of uses) {
      expect([data, dev]).toEqual(['bandai-upperbody', ['fold0']]);
      expect(splits).toEqual(['fold1', 'fold2', 'fold3', 'fold4', 'fold5', 'fold6', 'fold7']);
    }
    expect(config.inputs.map(({ name, modality, kind }) => [name, modality, kind])).toEqual([
      ['movement', 'body', 'vector'],
    ]);
  });
});
