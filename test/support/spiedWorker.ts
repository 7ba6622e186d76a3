// The thread that looks, with a spy in it that is there before anything else.
import './visionSpy.ts';
await import('../../adapters/vision/mediapipe/visionWorker.ts');
