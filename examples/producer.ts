// Sends raw PCM16 sound, 16 kHz mono, from standard input to a live server, and prints the id of its session:
// ffmpeg -i call.mp4 -ac 1 -ar 16000 -f s16le - | node dist/examples/producer.js ws://localhost:8787 Ada
import { connect } from 'undertone/client';
import WebSocket from 'ws';

const [url = 'ws://localhost:8787', name = 'Ada'] = process.argv.slice(2);
const token = process.env['UNDERTONE_TOKEN'];
const { producer } = connect({
  url,
  WebSocket,
  ...(token && { token }),
  purpose: 'personal',
  participant: { id: 'speaker', name, consent: ['text', 'audio'] },
  streams: [{ streamId: 'mic', kind: 'audio', format: { encoding: 'pcm16', sampleRateHz: 16_000, channels: 1 } }],
});
await producer.ready();
console.log(producer.session);
let rest = Buffer.alloc(0);
for await (const chunk of process.stdin) {
  const bytes = Buffer.concat([rest, chunk as Buffer]);
  const whole = bytes.length - (bytes.length % 2);
  producer.sendAudio('mic', new Int16Array(Uint8Array.from(bytes.subarray(0, whole)).buffer));
  rest = bytes.subarray(whole);
  await producer.drained();
}
await producer.bye();
console.error(producer.counts);
