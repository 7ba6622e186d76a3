import type { LivePolicy } from '../config.ts';
import { MODALITIES, type Modality, type PrivacyMode } from '../domain/modality.ts';
import { UndertoneError } from '../errors.ts';
import type { Participant, ParticipantPolicy, Purpose, PurposeException } from '../protocol/live.ts';

/** What is decided on: one participant of a session with a purpose, under the policy of the server. */
export type PolicyQuestion = {
  readonly purpose: Purpose | undefined;
  readonly exception: PurposeException | undefined;
  readonly participant: Pick<Participant, 'id' | 'role' | 'consent'>;
  readonly policy: LivePolicy;
};

/** What may be analyzed and what may not; each modality is in one of the two, in the order of `MODALITIES`. */
export type PolicyDecision = Pick<ParticipantPolicy, 'modalities' | 'refused'>;

type Refusal = PolicyDecision['refused'][number]['reason'];

/** What is never looked at in a privacy mode. */
const HIDDEN: Readonly<Record<PrivacyMode, readonly Modality[]>> = {
  none: [],
  'no-face': ['face'],
  'text-only': ['audio', 'face', 'body'],
};
/** Biometric data: Regulation (EU) 2024/1689, Art. 5(1)(f) and Art. 3(39), forbids to infer emotions from it… */
const BIOMETRIC: readonly Modality[] = ['audio', 'face', 'body'];
/** …in these areas, except for medical or safety reasons. */
const PROTECTED: readonly Purpose[] = ['workplace', 'education'];

/**
 * Decides what may be analyzed of a participant. What the privacy mode, the purpose or the role rules out is `privacy`,
 * whatever the participant agreed to; what they did not agree to is `consent`. Ask again when a consent changes.
 */
export function decidePolicy(question: PolicyQuestion): PolicyDecision {
  const modalities: Modality[] = [];
  const refused: { modality: Modality; reason: Refusal }[] = [];
  for (const modality of MODALITIES) {
    const reason = refusalOf(modality, question);
    if (reason === undefined) modalities.push(modality);
    else refused.push({ modality, reason });
  }
  return { modalities, refused };
}

/**
 * Passes when the policy allows sessions with this purpose; a session without one passes only where all are allowed.
 * @throws UndertoneError PURPOSE_REFUSED
 */
export function checkPurpose(purpose: Purpose | undefined, { allowedPurposes }: LivePolicy): void {
  if (allowedPurposes === undefined || (purpose !== undefined && allowedPurposes.includes(purpose))) return;
  const which = purpose === undefined ? 'a session must state its purpose' : `the purpose ${purpose} is not allowed`;
  throw new UndertoneError('PURPOSE_REFUSED', `${which}; allowed: ${allowedPurposes.join(', ') || 'none'}`);
}

/**
 * What a server that turns speech into text adds: the sound of a participant that the policy does not let it measure is heard
 * for its words, when these may be analyzed. Sound that the participant withholds is not.
 */
export function hearForWords(decision: PolicyDecision): PolicyDecision & Pick<ParticipantPolicy, 'isHeardForWords'> {
  const audio = decision.refused.find(({ modality }) => modality === 'audio');
  const isForWords = audio?.reason === 'privacy' && decision.modalities.includes('text');
  return isForWords ? { ...decision, isHeardForWords: true } : decision;
}

function refusalOf(modality: Modality, question: PolicyQuestion): Refusal | undefined {
  const { purpose, exception, participant, policy } = question;
  const isProtected = purpose !== undefined && PROTECTED.includes(purpose) && exception === undefined;
  if (isProtected && BIOMETRIC.includes(modality)) return 'privacy';
  if (HIDDEN[policy.privacy].includes(modality)) return 'privacy';
  if (!allowedFor(participant.role, policy).includes(modality)) return 'privacy';
  const agreed = participant.consent ?? (policy.requireConsent ? [] : MODALITIES);
  return agreed.includes(modality) ? undefined : 'consent';
}

/** A role comes from outside and may be called `constructor`, so only the table's own names count. */
function allowedFor(role: string | undefined, policy: LivePolicy): readonly Modality[] {
  const ofRole = role !== undefined && Object.hasOwn(policy.roles, role) ? policy.roles[role] : undefined;
  return ofRole ?? policy.default;
}
