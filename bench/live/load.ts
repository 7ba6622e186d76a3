/** A process of the load of bench/live.ts: holds conversations in real time and answers its parent over IPC. */
import { quantile } from '../command.ts';
import { loadCallMedia } from './callMedia.ts';
import { type Answered, type Conversation, holdConversation } from './conversation.ts';
import type { LoadOrder, LoadReport } from './loadProcess.ts';

/** Conversations begin so far apart. */
const APART_MS = 25;
/** The call is entered everywhere, evenly, whatever the number of conversations. */
const GOLDEN_RATIO = 0.618_033_988_75;
const TICK_MS = 2;

const media = await loadCallMedia();
const conversations: Conversation[] = [];
let answers: Answered[] = [];
let strangers = 0;
let lateMs: number[] = [];
let refused = 0;
let markedCpu = process.cpuUsage();

const ticker = setInterval(() => {
  const nowMs = performance.now();
  let latestMs = 0;
  for (const conversation of conversations) latestMs = Math.max(latestMs, conversation.advance(nowMs));
  lateMs.push(latestMs);
}, TICK_MS);

async function hold({ url, from, count }: Extract<LoadOrder, { type: 'hold' }>): Promise<void> {
  for (let number = from; number < from + count; number++) {
    const startPlaceMs = Math.floor((((number * GOLDEN_RATIO) % 1) * media.durationMs) / 20) * 20;
    const meant = { url, session: `bench-${process.pid}-${number}`, startPlaceMs };
    const held = holdConversation(media, meant, (answered) => {
      if (answered) answers.push(answered);
      else strangers++;
    });
    const conversation = await held.catch((error: unknown) => {
      if (!String(error).includes('OVERLOADED')) throw error;
      refused++;
    });
    if (conversation) conversations.push(conversation);
    await new Promise((resolve) => setTimeout(resolve, APART_MS));
  }
}

function report(): LoadReport {
  const { user, system } = process.cpuUsage(markedCpu);
  return {
    type: 'report',
    answers,
    strangers,
    lateMs: quantile(lateMs, 0.99),
    cpuMs: (user + system) / 1_000,
    refused,
  };
}

/** Whoever measures is gone. */
process.on('disconnect', () => process.exit());
process.on('message', (order: LoadOrder) => {
  const reply = (message: LoadReport | { readonly type: 'done' }): void => void process.send?.(message);
  switch (order.type) {
    case 'hold':
      return void hold(order).then(() => reply({ type: 'done' }));
    case 'mark':
      [answers, strangers, lateMs] = [[], 0, []];
      markedCpu = process.cpuUsage();
      return;
    case 'report':
      return reply(report());
    case 'leave':
      clearInterval(ticker);
      return void Promise.all(conversations.map((conversation) => conversation.leave())).then(() => process.exit(0));
  }
});
