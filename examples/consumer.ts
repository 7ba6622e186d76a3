// Prints the last answer about each utterance of a live session: node dist/examples/consumer.js ws://localhost:8787 SESSION
import { connect } from 'undertone/client';
import WebSocket from 'ws';

const [url = 'ws://localhost:8787', session] = process.argv.slice(2);
const token = process.env['UNDERTONE_TOKEN'];
const { consumer } = connect({ url, WebSocket, ...(session && { session }), ...(token && { token }) });
consumer.on('status', (status) => console.error(status.state));
consumer.on('missed', ({ fromSeq, toSeq, reason }) => console.error(`missed ${fromSeq} to ${toSeq}: ${reason}`));
process.on('SIGINT', () => consumer.close());
for await (const insight of consumer) {
  if (insight.type !== 'utterance' || insight.status !== 'final') continue;
  const { speaker, label, confidence, text } = insight;
  console.log(`${speaker.name}: ${label} ${Math.round(confidence * 100)} % ${text ?? ''}`);
}
