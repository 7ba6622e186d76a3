import { type Checkpoint, type Members, withoutExtras } from './checkpoint.ts';
import { type DialogueData, type DialogueRun, runDialogueStage } from './dialogueStage.ts';
import { newLearnerState } from './trainee.ts';

/**
 * Runs the dialogue stage `members` times from the same start, with the seeds seed, seed + 1, …, and returns where the last
 * one ended, its `best` being the mean of the best weights of all; with one member, that member. `undefined` when stopped.
 * Source: "model soups", uniform: Wortsman et al. 2022, arXiv 2203.05482. Members that start from the same weights end so
 * close together that their mean is a good network too.
 */
export async function runMembers(
  data: DialogueData,
  start: Checkpoint,
  run: DialogueRun,
): Promise<Checkpoint | undefined> {
  const { members, seed } = run.config;
  if (members === 1) return runDialogueStage(data, start, run);
  let at: Checkpoint = { ...start, members: start.members ?? noMembers(start) };
  for (let done = at.members?.done ?? 0; done < members; done++) {
    const end = await runDialogueStage(data, at, { ...run, config: { ...run.config, seed: seed + done } });
    if (!end) return undefined;
    const added = addMember(end.best, at.members ?? noMembers(start));
    at = done + 1 < members ? toNextMember(end, added) : { ...end, members: added };
    await run.keep(at);
  }
  return { ...at, best: at.members?.mean ?? at.best };
}

function noMembers({ state }: Checkpoint): Members {
  return { start: copyOf(state.values), mean: new Map(), done: 0 };
}

function addMember(best: Checkpoint['best'], { start, mean, done }: Members): Members {
  const added = [...best].map(([name, values]) => {
    const before = mean.get(name);
    return [name, values.map((value, i) => ((before?.[i] ?? 0) * done + value) / (done + 1))] as const;
  });
  return { start, mean: new Map(added), done: done + 1 };
}

/** Where the next member begins: at the start, with nothing selected. */
function toNextMember({ model, stage }: Checkpoint, members: Members): Checkpoint {
  const values = copyOf(members.start);
  const best = withoutExtras(values);
  return { model, stage, epoch: 0, bestEpoch: 0, bestScore: -1, state: newLearnerState(values), best, members };
}

/** Learning changes values in place, and the start is needed again. */
function copyOf(values: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> {
  return new Map([...values].map(([name, numbers]) => [name, numbers.slice()]));
}
