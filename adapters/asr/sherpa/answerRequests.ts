import type { CreateEar, Ear } from './ears.ts';
import type { SherpaReply, SherpaRequest } from './messages.ts';
import type { Speakers } from './speakers.ts';

/** Answers requests, each at once and in order. `createSpeakers`: when voices can be told apart. */
export function answerRequests(
  createEar: CreateEar,
  reply: (message: SherpaReply) => void,
  createSpeakers?: () => Speakers,
): (request: SherpaRequest) => void {
  const ears = new Map<number, Ear>();
  const open = (id: number, tellsSpeakers: boolean): void => {
    const speakers = tellsSpeakers ? createSpeakers?.() : undefined;
    const ear = createEar((result, speech) => {
      const speaker = result.isFinal ? speakers?.labelOf(speech) : undefined;
      reply({ type: 'result', id, result: { ...result, ...(speaker !== undefined && { speaker }) } });
    });
    ears.set(id, ear);
  };
  const answer = (request: SherpaRequest): void => {
    const { id } = request;
    const ear = ears.get(id);
    switch (request.type) {
      case 'open':
        return open(id, request.tellsSpeakers);
      case 'write':
        ear?.hear(request.samples);
        return reply({ type: 'written', id });
      case 'finalize':
        return ear?.finish();
      case 'end':
        ear?.finish();
        ears.delete(id);
        return reply({ type: 'ended', id });
      case 'close':
        ears.delete(id);
    }
  };
  return (request) => {
    try {
      answer(request);
    } catch {
      ears.delete(request.id);
      reply({ type: 'failed', id: request.id, reason: 'sherpa failed on a piece of sound' });
    }
  };
}
