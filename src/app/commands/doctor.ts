import { ADAPTERS } from '../adapters.ts';
import { createBuiltInProbe, createRecognizersProbe } from '../doctor/builtIn.ts';
import { createBackendProbes } from '../doctor/backends.ts';
import { createPrivacyProbe } from '../doctor/privacyMode.ts';
import { createModelProbe, probeVision } from '../doctor/visionParts.ts';
import { doctorJson, exitStatusOf, renderDoctor, runDoctor } from '../doctor.ts';
import { modelsFolder } from '../models/modelStore.ts';
import { packageVersion } from '../packageRoot.ts';
import { colourDepth, createPaint } from '../present/paint.ts';
import { startTensorBackend } from '../tensorBackend.ts';
import type { Terminal } from '../terminal.ts';
import { loadWeights, shippedWeightsPath } from '../weights.ts';

/** What `undertone doctor` was asked for. */
export type DoctorCommand = {
  readonly json: boolean;
  /** Path of the configuration of a server, to say what its privacy mode lets it analyze. */
  readonly config?: string | undefined;
};

/** Prints one line per part of the installation; returns 0 when recordings can be analyzed, else 1. */
export async function runDoctorCommand({ json, config }: DoctorCommand, terminal: Terminal): Promise<number> {
  const version = packageVersion();
  const backends = createBackendProbes(startTensorBackend);
  const report = await runDoctor({
    ffmpeg: async () => {
      const { findFfmpeg } = await import('../../../adapters/media/ffmpeg/findFfmpeg.ts');
      const found = findFfmpeg(terminal.env);
      return { isFound: true, version: found.version, from: `${found.source} (${found.path})` };
    },
    vad: async () => {
      const { createSileroDetector } = await import('../../../adapters/vad/silero/createSileroDetector.ts');
      const detector = await createSileroDetector();
      await detector.close();
      return {
        isFound: true,
        version: detector.model,
        from: `@ricky0123/vad-web, run by ${detector.runtime} ${detector.runtimeVersion}`,
      };
    },
    backend: backends.live,
    trainingBackend: backends.training,
    weights: async () => {
      const { provenance, config } = await loadWeights();
      const inputs = config.inputs.map((input) => input.name).join(' + ');
      return {
        isFound: true,
        version: `${provenance.name} (${inputs})`,
        from: shippedWeightsPath(),
        note: `licence: ${provenance.licence}`,
      };
    },
    faceModel: createModelProbe('face', modelsFolder(terminal.env)),
    bodyModel: createModelProbe('body', modelsFolder(terminal.env)),
    vision: probeVision,
    recognizers: createRecognizersProbe(ADAPTERS.recognizers, terminal.env),
    captions: createBuiltInProbe(version, 'WebVTT, SRT, JSON'),
    rttm: createBuiltInProbe(version, 'RTTM'),
    privacy: createPrivacyProbe(config),
  });
  terminal.out.write(
    `${json ? doctorJson(report) : renderDoctor(report, createPaint(colourDepth(terminal.out, terminal.env)))}\n`,
  );
  return exitStatusOf(report);
}
