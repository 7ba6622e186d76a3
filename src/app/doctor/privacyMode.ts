import { DEFAULT_SERVER_CONFIG, type LivePolicy } from '../../config.ts';
import type { PrivacyMode } from '../../domain/modality.ts';
import { decidePolicy } from '../../server/policy.ts';
import type { Probe } from '../doctor.ts';
import { readServerConfig } from '../readServerConfig.ts';

/** What a mode means, whoever is listened to. */
const MEANING: Readonly<Record<PrivacyMode, string>> = {
  none: 'nothing is ruled out for everybody',
  'no-face': 'the face model is neither loaded nor downloaded nor given to pages',
  'text-only': 'nothing is inferred from sound or pictures',
};

/**
 * Returns the probe of the privacy mode: which one is on, and what may be analyzed of whom. Of the configuration of a server when
 * its path is given, else of what replay and serve do when they are told nothing.
 */
export function createPrivacyProbe(path: string | undefined): Probe {
  return async () => {
    const { policy, vision } = path === undefined ? DEFAULT_SERVER_CONFIG : await readServerConfig(path);
    return {
      isFound: true,
      version: policy.privacy,
      from: path ?? 'the defaults of replay (--privacy) and serve (--config)',
      details: [
        MEANING[policy.privacy],
        `pictures are ${vision === 'on' ? '' : 'not '}looked at${vision === 'on' ? '' : ' without --vision on'}`,
        ...Object.keys(policy.roles).map((role) => `role ${role}: ${modalitiesOf(role, policy)}`),
        `${Object.keys(policy.roles).length > 0 ? 'others' : 'everybody'}: ${modalitiesOf(undefined, policy)}`,
        'purposes workplace and education: text only, save for medical or safety reasons',
        ...(policy.requireConsent ? ['nothing of whoever has not given consent'] : []),
      ],
    };
  };
}

/** What may be analyzed of somebody who consents, in a session for another purpose than those that the law protects. */
function modalitiesOf(role: string | undefined, policy: LivePolicy): string {
  const participant = { id: '', ...(role !== undefined && { role }) };
  const asked = { purpose: undefined, exception: undefined, participant, policy: { ...policy, requireConsent: false } };
  return decidePolicy(asked).modalities.join(', ') || 'nothing';
}
