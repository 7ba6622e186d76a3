import { UndertoneError } from '../../errors.ts';

/** What a page gets of a device. */
export type DeviceTrack = {
  /** The track that delivers now; nothing while the device is gone. */
  readonly track: MediaStreamTrack | undefined;
  /** Lets go of the device, for good. */
  release(): void;
};

/** Which device, and who is told what becomes of it. */
export type DeviceTrackOptions = {
  readonly kind: 'audio' | 'video';
  readonly constraints: MediaTrackConstraints;
  /** A track that the page has already; it is not stopped, and no other is looked for when it ends. */
  readonly given: MediaStreamTrack | undefined;
  /** A device delivers: the first one, or another one in its place. */
  readonly onTrack: (track: MediaStreamTrack) => void;
  /** The browser or the system keeps the device from delivering, or lets it again. */
  readonly onInterrupted: (isInterrupted: boolean) => void;
  /** The device is gone and there is no other; should one appear, `onTrack` follows. */
  readonly onLost: () => void;
};

/** What a browser says of a device that the user or a rule withholds, as opposed to one that fails. */
const REFUSALS: readonly string[] = ['NotAllowedError', 'SecurityError'];

/**
 * Asks for a device, and for another one when it goes: at once, and whenever the devices of this machine change.
 * @throws UndertoneError CAPTURE_REFUSED, CAPTURE_FAILED
 */
export async function openDeviceTrack(options: DeviceTrackOptions): Promise<DeviceTrack> {
  const { kind, constraints, given, onTrack, onInterrupted, onLost } = options;
  let track: MediaStreamTrack | undefined;
  let isReleased = false;
  let isTrying = false;
  const follow = (next: MediaStreamTrack): void => {
    track = next;
    const whileOurs = (act: () => void) => (): void => {
      if (track === next && !isReleased) act();
    };
    next.addEventListener(
      'mute',
      whileOurs(() => onInterrupted(true)),
    );
    next.addEventListener(
      'unmute',
      whileOurs(() => onInterrupted(false)),
    );
    next.addEventListener(
      'ended',
      whileOurs(() => void lose()),
    );
    onTrack(next);
    onInterrupted(next.muted);
  };
  const lose = async (): Promise<void> => {
    track = undefined;
    if (given || !(await replace())) onLost();
  };
  const replace = async (): Promise<boolean> => {
    if (isTrying || track || isReleased) return true;
    isTrying = true;
    const next = await ask(kind, constraints).catch(() => undefined);
    isTrying = false;
    if (isReleased) next?.stop();
    else if (next) follow(next);
    return next !== undefined || isReleased;
  };
  const onDevices = (): void => void replace();
  follow(given ?? (await ask(kind, constraints)));
  if (!given) navigator.mediaDevices.addEventListener('devicechange', onDevices);
  return {
    get track() {
      return track;
    },
    release: () => {
      isReleased = true;
      if (given) return;
      navigator.mediaDevices.removeEventListener('devicechange', onDevices);
      track?.stop();
      track = undefined;
    },
  };
}

async function ask(kind: 'audio' | 'video', constraints: MediaTrackConstraints): Promise<MediaStreamTrack> {
  const what = kind === 'audio' ? 'the microphone' : 'the camera';
  // Browsers leave this out in pages that are not secure, whatever their types say.
  const devices = (navigator as { readonly mediaDevices?: MediaDevices }).mediaDevices;
  if (!devices) throw new UndertoneError('CAPTURE_REFUSED', `${what}: only pages over https or of localhost get one`);
  try {
    const stream = await devices.getUserMedia({ [kind]: constraints });
    const [track] = stream.getTracks();
    if (track) return track;
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : 'unknown';
    if (REFUSALS.includes(name)) throw new UndertoneError('CAPTURE_REFUSED', `${what} is not allowed`, { cause });
    throw new UndertoneError('CAPTURE_FAILED', `${what} cannot be used (${name})`, { cause });
  }
  throw new UndertoneError('CAPTURE_FAILED', `${what} gave no track`);
}
