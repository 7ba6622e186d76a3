import type { CaptureState, LandmarkAssets } from '../client/browser/capture.ts';
import type { Consumer, Status } from '../client/connect.ts';
import { MODALITIES, type Modality } from '../domain/modality.ts';
import { PURPOSES, type Purpose } from '../protocol/live.ts';
import { type Board, createBoard } from './board.ts';
import { type Call, joinCall, watchCall } from './call.ts';
import { find, make } from './dom.ts';
import { announce, viewUtterance } from './utteranceView.ts';
import { MODALITY_WORDS, reasonText, statusText } from './wording.ts';

const MAX_UTTERANCES = 200;
const REFRESH_MS = 500;

const joinForm = find('join', HTMLFormElement);
const joinButton = find('join-button', HTMLButtonElement);
const leaveButton = find('leave', HTMLButtonElement);
const controls = find('controls', HTMLFieldSetElement);
const microphoneSwitch = find('microphone', HTMLButtonElement);
const cameraSwitch = find('camera', HTMLButtonElement);
const preview = find('preview', HTMLVideoElement);
const writeForm = find('write', HTMLFormElement);
const problem = find('problem', HTMLElement);
const utteranceList = find('utterances', HTMLOListElement);
const announcement = find('announcement', HTMLElement);

let call: Call | undefined;
let board: Board = createBoard(MAX_UTTERANCES);
let speakerId = '';

/** Shows a problem, or takes away the one that is shown. */
function show(error?: unknown): void {
  problem.textContent = error instanceof Error ? error.message : typeof error === 'string' ? error : '';
}

/** Calls what may fail, and shows how. */
function attempt(act: () => Promise<void>): void {
  show();
  act().catch(show);
}

function consent(): Modality[] {
  return MODALITIES.filter((modality) => find(`consent-${modality}`, HTMLInputElement).checked);
}

async function join(): Promise<void> {
  const name = find('name', HTMLInputElement).value.trim() || 'You';
  const purpose = find('purpose', HTMLSelectElement).value as Purpose;
  const assets = (await (await fetch('page/settings.json')).json()) as LandmarkAssets;
  const joined = await joinCall(
    { name, purpose, consent: consent() },
    {
      assets,
      onMicrophone: (state) => showSwitch(microphoneSwitch, 'Microphone', state),
      onCamera: (state) => showSwitch(cameraSwitch, 'Camera', state),
      onTrack: showPreview,
      onFault: (code) => show(`Pictures cannot be read: ${code}`),
    },
  );
  call = joined;
  joined.producer.on('status', (status) => showStatus(status));
  joined.producer.on('error', ({ code, message }) => show(`${code}: ${message}`));
  joined.producer.on('policy', (policies) => (speakerId = policies[0]?.speaker.id ?? ''));
  follow(joined.consumer);
  showStatus(joined.producer.status);
}

/** Shows what is said about a session from now on, and nothing of the one before. */
function follow(consumer: Consumer): void {
  board = createBoard(MAX_UTTERANCES);
  utteranceList.replaceChildren();
  consumer.on('insight', (insight) => {
    const changed = board.take(insight);
    if (changed !== undefined) showUtterance(changed);
  });
}

/** The session that the address names behind `#` is watched, until one takes part oneself. */
function watch(session: string): void {
  const consumer = watchCall(session);
  follow(consumer);
  const told = (status: Status): void => {
    if (call) return consumer.close();
    document.body.dataset['state'] = status.state;
    find('status', HTMLElement).textContent = `watching ${session}: ${statusText(status, performance.now())}`;
  };
  consumer.on('status', told);
  joinForm.addEventListener('submit', () => consumer.close());
  told(consumer.status);
}

function showStatus(status: Status): void {
  const isOver = status.state === 'closed';
  if (isOver && status.error) show(status.error);
  document.body.dataset['state'] = status.state;
  joinButton.hidden = !isOver;
  leaveButton.hidden = isOver;
  for (const id of ['name', 'purpose']) document.getElementById(id)?.toggleAttribute('disabled', !isOver);
  controls.disabled = isOver;
  if (isOver) call = undefined;
  refresh(status);
}

/** Puts on the page what changes with time: how long ago, how much was dropped. */
function refresh(status: Status): void {
  find('status', HTMLElement).textContent = statusText(status, performance.now());
  if (!call) return;
  const { sent, resent, kept, dropped } = call.producer.counts;
  const { received, missed, coalesced } = call.consumer.counts;
  const lines = [
    `Sent ${sent} messages, ${resent} of them again; ${kept} not yet used.`,
    `Received ${received} insights; ${missed} missed, ${coalesced} left out.`,
    ...dropped.map(({ streamId, reason, count }) => `Dropped ${count} of ${streamId}: ${reasonText(reason)}.`),
  ];
  find('counts', HTMLElement).replaceChildren(...lines.map((line) => make('li', {}, line)));
  find('modalities', HTMLElement).replaceChildren(...MODALITIES.map(viewModality));
}

function viewModality(modality: Modality): HTMLElement {
  const presence = board.presenceOf(modality, speakerId);
  const text =
    presence === undefined ? 'not yet' : presence.state === 'present' ? 'there' : reasonText(presence.reason);
  const attributes = { 'data-modality': modality, 'data-state': presence?.state ?? 'unknown' };
  return make('li', attributes, make('b', {}, MODALITY_WORDS[modality]), ` ${text}`);
}

function showUtterance(utteranceId: string): void {
  const utterances = board.utterances;
  const index = utterances.findIndex((one) => one.utteranceId === utteranceId);
  const utterance = utterances[index];
  if (!utterance) return;
  const known = utteranceList.querySelector(`[data-utterance="${CSS.escape(utteranceId)}"]`);
  if (known) known.replaceWith(viewUtterance(utterance));
  else utteranceList.insertBefore(viewUtterance(utterance), utteranceList.children[index] ?? null);
  while (utteranceList.children.length > utterances.length) utteranceList.lastElementChild?.remove();
  if (utterance.status !== 'revised') announcement.textContent = announce(utterance);
}

function showSwitch(button: HTMLButtonElement, name: string, state: CaptureState): void {
  button.setAttribute('aria-pressed', String(state === 'live' || state === 'interrupted'));
  button.dataset['state'] = state;
  button.textContent =
    state === 'live' ? `${name} on` : `${name} ${state === 'muted' || state === 'stopped' ? 'off' : state}`;
}

function showPreview(track: MediaStreamTrack | undefined): void {
  preview.srcObject = track ? new MediaStream([track]) : null;
  preview.hidden = !track;
}

function isOn(button: HTMLButtonElement): boolean {
  return button.getAttribute('aria-pressed') === 'true';
}

for (const purpose of PURPOSES)
  find('purpose', HTMLSelectElement).append(make('option', { value: purpose }, purpose.replaceAll('_', ' ')));
joinForm.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!call) attempt(join);
});
leaveButton.addEventListener('click', () => attempt(async () => call?.leave()));
microphoneSwitch.addEventListener('click', () => attempt(async () => call?.setMicrophone(!isOn(microphoneSwitch))));
cameraSwitch.addEventListener('click', () => attempt(async () => call?.setCamera(!isOn(cameraSwitch))));
writeForm.addEventListener('submit', (event) => {
  event.preventDefault();
  const input = find('written', HTMLInputElement);
  // Times of the session are those of its only producer.
  const wordless = board.utterances.find(({ text, status }) => text === null && status !== 'final');
  if (input.value.trim() !== '') call?.write(input.value.trim(), wordless);
  input.value = '';
});
for (const modality of MODALITIES)
  find(`consent-${modality}`, HTMLInputElement).addEventListener('change', () => call?.setConsent(consent()));
setInterval(() => {
  if (call) refresh(call.producer.status);
}, REFRESH_MS);
if (location.hash.length > 1) watch(decodeURIComponent(location.hash.slice(1)));
