import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InputSpec } from '../../src/model/config.ts';
import { newStatistics, normaliseRows, withUtterance } from '../../src/model/normalisation.ts';
import { createRandom } from '../../src/model/random.ts';
import { createDonors, type Donors, lendModalities } from '../../src/training/pairing.ts';
import type { PreparedDialogue, PreparedUtterance } from '../../src/training/prepare.ts';
import { TINY } from '../support/tinyModel.ts';

type Some = Partial<Omit<PreparedUtterance, 'rows' | 'alternatives'>> & {
  readonly rows?: Readonly<Record<string, number>>;
  readonly alternatives?: Readonly<Record<string, number>>;
};
const toMap = (rows: Readonly<Record<string, number>> = {}): Map<string, Float32Array> =>
  new Map(Object.entries(rows).map(([name, value]) => [name, Float32Array.of(value)]));
const utterance = ({ rows, alternatives, ...rest }: Some): PreparedUtterance => ({
  ...{ id: 'd/0', speaker: 'Ada', label: 0, tokens: [] },
  ...rest,
  rows: toMap(rows),
  ...(alternatives && { alternatives: toMap(alternatives) }),
});
const dialogue = (...utterances: Some[]): PreparedDialogue => ({ id: 'd', utterances: utterances.map(utterance) });
const valueOf = (u: PreparedUtterance | undefined, input: string): number | undefined => u?.rows.get(input)?.[0];

// A donor's row says whose it is and of which label: 10 · speaker + label.
const donorsOf = (modality: 'audio' | 'face' | 'body', input: string, speakers: number, labels: number[]): Donors =>
  createDonors(modality, [
    dialogue(
      ...Array.from({ length: speakers }, (_, s) =>
        labels.map((label) => ({ speaker: `donor${s}`, label, rows: { [input]: 10 * s + label } })),
      ).flat(),
    ),
  ]);

describe('createDonors', () => {
  it('sorts utterances by speaker and label, and leaves out those without a label.', () => {
    const { modality, speakers } = createDonors('face', [
      dialogue({ speaker: 'x', label: 0, id: '1' }, { speaker: 'y', label: 1, id: '2' }),
      dialogue({ speaker: 'x', label: 0, id: '3' }, { speaker: 'x', label: undefined, id: '4' }),
    ]);
    const ids = speakers.map((own) => [...own].map(([label, list]) => [label, list.map(({ id }) => id)]));
    expect(modality).toBe('face');
    expect(ids).toEqual([[[0, ['1', '3']]], [[1, ['2']]]]);
  });
});

describe('lendModalities', () => {
  it('lends the label of the utterance only as often as agreement says, and else anything of the donor.', () => {
    const donors = [
      createDonors(
        'face',
        [0, 1, 2, 3].map((label) => dialogue({ label, rows: { face: label } })),
      ),
    ];
    const long = dialogue(...Array.from({ length: 2000 }, () => ({ label: 2 })));
    const shareOf = (agreement: number): number => {
      const { utterances } = lendModalities(TINY, long, donors, { random: createRandom(5), agreement });
      return utterances.filter((u) => valueOf(u, 'face') === 2).length / utterances.length;
    };
    expect(shareOf(1)).toBe(1);
    expect(shareOf(0.6)).toBeCloseTo(0.7, 1);
    expect(shareOf(0)).toBeCloseTo(0.25, 1);
  });

  const everybody = fc.array(
    fc.record({
      speaker: fc.constantFrom('Ada', 'Ben', 'Cleo'),
      label: fc.constantFrom(undefined, 0, 1, 2),
      rows: fc.constantFrom({}, { face: -1 }, { face: -1, segments: -2 }),
    }),
    { minLength: 1, maxLength: 8 },
  );

  it('lends rows of the same label only, of one donor for each speaker, and nothing where there is no label.', () => {
    fc.assert(
      fc.property(everybody, fc.integer({ min: 1, max: 4 }), fc.nat(), (utterances, donors, seed) => {
        const given = dialogue(...utterances);
        const lenders = [donorsOf('face', 'face', donors, [0, 1]), donorsOf('audio', 'segments', donors, [0, 1])];
        const { utterances: lent } = lendModalities(TINY, given, lenders, { random: createRandom(seed) });
        for (const input of ['face', 'segments']) {
          const donorOf = new Map<string, number>();
          lent.forEach((u, i) => {
            const value = valueOf(u, input);
            if (u.label === undefined || u.label === 2) {
              expect(value).toBe(valueOf(given.utterances[i], input));
              return;
            }
            expect(value! % 10).toBe(u.label);
            const donor = Math.floor(value! / 10);
            expect(donor).toBe(donorOf.get(u.speaker) ?? donor);
            donorOf.set(u.speaker, donor);
          });
          // Two speakers have the same voice or face only where there are fewer donors than speakers.
          const isEnough = new Set(utterances.map(({ speaker }) => speaker)).size <= donors;
          if (isEnough) expect(new Set(donorOf.values()).size).toBe(donorOf.size);
        }
      }),
    );
  });

  it('changes nothing in place, and keeps order, words, speakers and labels.', () => {
    fc.assert(
      fc.property(everybody, fc.nat(), (utterances, seed) => {
        const given = dialogue(...utterances);
        const lenders = [donorsOf('face', 'face', 2, [0, 1, 2])];
        const lent = lendModalities(TINY, given, lenders, { random: createRandom(seed) });
        expect(given).toEqual(dialogue(...utterances));
        const rest = ({ id, speaker, label, tokens }: PreparedUtterance): object => ({ id, speaker, label, tokens });
        expect(lent.id).toBe(given.id);
        expect(lent.utterances.map(rest)).toEqual(given.utterances.map(rest));
        lent.utterances.forEach((u, i) =>
          expect(valueOf(u, 'segments')).toBe(valueOf(given.utterances[i], 'segments')),
        );
      }),
    );
  });

  it('draws among the utterances of a label, and another donor for another dialogue.', () => {
    const rows = [1, 2, 3].map((face) => ({ speaker: 'one', label: 0, rows: { face } }));
    const one = createDonors('face', [dialogue(...rows)]);
    const random = createRandom(4);
    const long = dialogue(...Array.from({ length: 60 }, () => ({ label: 0 })));
    const faces = lendModalities(TINY, long, [one], { random }).utterances.map((u) => valueOf(u, 'face'));
    expect(new Set(faces)).toEqual(new Set([1, 2, 3]));
    const many = donorsOf('face', 'face', 5, [0]);
    const chosen = Array.from({ length: 80 }, () => lendModalities(TINY, dialogue({ label: 0 }), [many], { random }));
    expect(new Set(chosen.map(({ utterances }) => valueOf(utterances[0], 'face'))).size).toBe(5);
  });

  it('lends every input of the modality that the donor has, and no other.', () => {
    const plain = { ...TINY, inputs: TINY.inputs.map((input) => ({ ...input, speakerRelative: false })) };
    const donor = { label: 0, rows: { prosody: 1, segments: 2, face: 3 } };
    const lent = lendModalities(
      plain,
      dialogue({ label: 0, rows: { prosody: -1, face: -3 } }),
      [createDonors('audio', [dialogue(donor)])],
      { random: createRandom(1) },
    );
    expect([...lent.utterances[0]!.rows].map(([name, [value]]) => [name, value])).toEqual([
      ['prosody', 1],
      ['face', -3],
      ['segments', 2],
    ]);
  });

  it('lends some speakers one and the same utterance throughout, whatever its label, as often as rest says.', () => {
    const labels = Array.from({ length: 300 }, (_, i) => ({ label: i % 3 }));
    const donors = [donorsOf('face', 'face', 1, [0, 1, 2])];
    const random = createRandom(3);
    const facesOf = (rest: number): (number | undefined)[] =>
      lendModalities(TINY, dialogue(...labels), donors, { random, rest }).utterances.map((u) => valueOf(u, 'face'));
    const shareAtRest = (rest: number): number =>
      Array.from({ length: 100 }, () => new Set(facesOf(rest)).size === 1).filter(Boolean).length / 100;
    expect(facesOf(0)).toEqual(labels.map(({ label }) => label));
    expect(shareAtRest(0)).toBe(0);
    expect(Math.abs(shareAtRest(0.4) - 0.4)).toBeLessThan(0.15);
    expect(shareAtRest(1)).toBe(1);
    expect(new Set(Array.from({ length: 40 }, () => facesOf(1)[0])).size).toBe(3);
  });

  describe('of what stands relative to the speaker', () => {
    const inputs: InputSpec[] = [
      { name: 'face', modality: 'face', kind: 'sequence', dim: 1, tokens: 4, speakerRelative: true },
    ];
    const relative = { ...TINY, inputs };
    const smile = (value: number): PreparedUtterance => ({
      ...{ id: 'd/0', speaker: 'donor', label: 0, tokens: [] },
      rows: new Map([['face', Float32Array.of(value, value)]]),
      alternatives: new Map([['face', Float32Array.of(-value, -value)]]),
    });
    const lend = (speakers: readonly string[]): readonly PreparedUtterance[] => {
      const donors = [createDonors('face', [{ id: 'd', utterances: [smile(2)] }])];
      const given = dialogue(...speakers.map((speaker) => ({ speaker })));
      return lendModalities(relative, given, donors, { random: createRandom(1), rest: 1 }).utterances;
    };

    it('makes it anew for each speaker, so that a face at rest stands out less and less.', () => {
      const lent = lend([...Array<string>(30).fill('Ada'), 'Ben']);
      const deviations = lent.map((u) => u.rows.get('face')?.[1] ?? NaN);
      expect(lent.map((u) => valueOf(u, 'face'))).toEqual(lent.map(() => 2));
      expect(deviations[0]).toBe(2);
      expect(deviations[1]).toBeLessThan(2);
      expect(deviations[29]).toBeLessThan(0.8);
      expect(deviations[30]).toBe(2);
    });

    it('makes it as a live session would, with the alternatives, and leaves the donor as it was.', () => {
      const lent = lend(['Ada', 'Ada']);
      const [face] = inputs as [InputSpec];
      const asIs = { mean: Float32Array.of(0), scale: Float32Array.of(1) };
      const first = normaliseRows(face, Float32Array.of(2), asIs, newStatistics(1));
      const known = withUtterance(face, first, newStatistics(1));
      expect(lent[1]?.rows.get('face')).toEqual(normaliseRows(face, Float32Array.of(2), asIs, known));
      expect(lent[1]?.alternatives?.get('face')).toEqual(normaliseRows(face, Float32Array.of(-2), asIs, known));
      expect(lend(['Ada'])).toEqual([lent[0]]);
    });
  });

  it('lends the alternatives of the rows that it lends, and takes away those of the rows that go.', () => {
    const own = { label: 0, rows: { face: -1, body: -2 }, alternatives: { face: -10, body: -20 } };
    const lend = (donor: Some): readonly (readonly [string, number | undefined])[] => {
      const donors = [createDonors('face', [dialogue({ label: 0, ...donor })])];
      const [lent] = lendModalities(TINY, dialogue(own), donors, { random: createRandom(1) }).utterances;
      return [...(lent!.alternatives ?? [])].map(([name, [value]]) => [name, value]);
    };
    expect(lend({ rows: { face: 1 }, alternatives: { face: 10 } })).toEqual([
      ['face', 10],
      ['body', -20],
    ]);
    expect(lend({ rows: { face: 1 } })).toEqual([['body', -20]]);
    expect(lend({ rows: {} })).toEqual([
      ['face', -10],
      ['body', -20],
    ]);
  });

  it('lends nothing when there is nobody to lend.', () => {
    const given = dialogue({ label: 0, rows: { face: -1 } }, { label: undefined });
    const lent = lendModalities(TINY, given, [createDonors('face', [])], { random: createRandom(1) });
    expect(lent.utterances.map((u) => valueOf(u, 'face'))).toEqual([-1, undefined]);
    expect(lendModalities(TINY, given, [], { random: createRandom(1) }).utterances.map(({ id }) => id)).toEqual([
      'd/0',
      'd/0',
    ]);
  });
});
