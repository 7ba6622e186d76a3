import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import type { Answered } from './conversation.ts';
import { nodeArguments, pinnedTo } from './processes.ts';

/** What a process of the load is told: hold so many conversations more, count anew, say what you counted, leave. */
export type LoadOrder =
  | { readonly type: 'hold'; readonly url: string; readonly from: number; readonly count: number }
  | { readonly type: 'mark' | 'report' | 'leave' };

/** What the probe in the server's process is told. */
export type ProbeOrder = { readonly type: 'cost' | 'reset' | 'collect' };

/**
 * Since the mark: first answers, answers that no line explains, by how much sending was late (99 %) and the CPU that it took,
 * in ms; and how many conversations the server has refused.
 */
export type LoadReport = {
  readonly type: 'report';
  readonly answers: readonly Answered[];
  readonly strangers: number;
  readonly lateMs: number;
  readonly cpuMs: number;
  readonly refused: number;
};

/** Everybody who talks to the server. */
export type Load = {
  /** Holds `count` conversations more; resolves when all are under way. */
  hold(count: number): Promise<void>;
  mark(): void;
  report(): Promise<LoadReport>;
  leave(): Promise<void>;
};

/** The most conversations of one process. */
const PER_PROCESS = 100;

/** Returns a load without conversations, in processes of its own, on all cores but the first where that can be arranged. */
export function createLoad(url: string): Load {
  const processes: { readonly child: ChildProcess; room: number }[] = [];
  let held = 0;
  const all = async (order: LoadOrder, answer: string): Promise<unknown[]> =>
    Promise.all(processes.map(({ child }) => ask(child, order, answer)));
  return {
    hold: async (count) => {
      for (let left = count; left > 0;) {
        const last = processes.at(-1);
        const place = last && last.room > 0 ? last : { child: start(), room: PER_PROCESS };
        if (place !== last) processes.push(place);
        const some = Math.min(left, place.room);
        await ask(place.child, { type: 'hold', url, from: held, count: some }, 'done');
        place.room -= some;
        held += some;
        left -= some;
      }
    },
    mark: () => {
      for (const { child } of processes) child.send({ type: 'mark' });
    },
    report: async () => {
      const reports = (await all({ type: 'report' }, 'report')) as LoadReport[];
      return {
        type: 'report',
        answers: reports.flatMap(({ answers }) => answers),
        strangers: reports.reduce((sum, { strangers }) => sum + strangers, 0),
        lateMs: Math.max(...reports.map(({ lateMs }) => lateMs)),
        cpuMs: reports.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
        refused: reports.reduce((sum, { refused }) => sum + refused, 0),
      };
    },
    leave: async () => {
      for (const { child } of processes) {
        if (child.exitCode !== null) continue;
        child.send({ type: 'leave' });
        await once(child, 'exit');
      }
    },
  };
}

function start(): ChildProcess {
  const [file = '', ...args] = [
    ...pinnedTo(`1-${availableParallelism() - 1}`),
    process.execPath,
    ...nodeArguments('load'),
  ];
  return spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** Sends an order and returns the answer of that type. @throws Error when the process ends instead */
export async function ask(child: ChildProcess, order: LoadOrder | ProbeOrder, answer: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: { readonly type: string }): void => {
      if (message.type !== answer) return;
      child.off('message', onMessage).off('exit', onExit);
      resolve(message);
    };
    const onExit = (code: number | null): void => reject(new Error(`a process ended with ${code}`));
    child.on('message', onMessage).on('exit', onExit);
    child.send(order);
  });
}
