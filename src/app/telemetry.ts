/**
 * Keeps the libraries of this process from reporting home: onnxruntime-node 1.30 otherwise writes a device id below the
 * home folder and sends events to Microsoft. Must be called before a library is loaded; somebody's own choice is kept.
 * Source: microsoft/onnxruntime pull request 27379 (`ORT_DISABLE_TELEMETRY`, every system but Windows).
 */
export function forbidTelemetry(env: NodeJS.ProcessEnv = process.env): void {
  env['ORT_DISABLE_TELEMETRY'] ??= '1';
}
