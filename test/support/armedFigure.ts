import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { REST_POSE } from '../../fixtures/makeCallAvatar.ts';
import { drawFace } from '../../fixtures/makeCallFace.ts';
import { LOOKS } from '../../fixtures/makeCallLooks.ts';
import type { PixelPicture } from './callVideo.ts';

/** Angles in radians: of the upper arms from hanging down, and of the forearms from there, both outwards. */
export type ArmAngles = { readonly shoulder: number; readonly elbow: number };

const WIDTH = 640;
const HEIGHT = 480;
/** From the middle of the face to the chin, in pixels: the unit of the drawing. */
const UNIT = 58;
const UPPER_ARM = 1.75;
const FOREARM = 1.6;

/** Returns a picture of someone seen down to the hips, both arms at the same angles; nothing else moves. */
export function drawFigure(angles: ArmAngles): PixelPicture {
  const ctx = createCanvas(WIDTH, HEIGHT).getContext('2d');
  ctx.fillStyle = '#b9c3c9';
  ctx.fillRect(0, 0, WIDTH, HEIGHT);
  ctx.translate(WIDTH / 2, HEIGHT * 0.27);
  ctx.scale(UNIT, UNIT);
  ctx.lineCap = 'round';
  ctx.lineJoin = 'round';
  drawTorso(ctx);
  for (const side of [-1, 1]) drawArm(ctx, side, angles);
  drawFace(ctx, LOOKS.Ben, REST_POSE);
  const { data } = ctx.getImageData(0, 0, WIDTH, HEIGHT);
  return { atMs: 0, width: WIDTH, height: HEIGHT, rgba: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function drawTorso(ctx: SKRSContext2D): void {
  ctx.fillStyle = LOOKS.Ben.skin[1];
  ctx.fillRect(-0.36, 0.6, 0.72, 0.9);
  ctx.fillStyle = '#2f4f7f';
  ctx.beginPath();
  ctx.moveTo(-0.4, 1.15);
  ctx.quadraticCurveTo(-1.4, 1.25, -1.5, 1.8);
  ctx.lineTo(-1.15, 7);
  ctx.lineTo(1.15, 7);
  ctx.lineTo(1.5, 1.8);
  ctx.quadraticCurveTo(1.4, 1.25, 0.4, 1.15);
  ctx.quadraticCurveTo(0, 1.5, -0.4, 1.15);
  ctx.fill();
}

function drawArm(ctx: SKRSContext2D, side: number, { shoulder, elbow }: ArmAngles): void {
  const from = { x: side * 1.35, y: 1.7 };
  const bend = { x: from.x + side * Math.sin(shoulder) * UPPER_ARM, y: from.y + Math.cos(shoulder) * UPPER_ARM };
  const turn = shoulder + elbow;
  const wrist = { x: bend.x + side * Math.sin(turn) * FOREARM, y: bend.y + Math.cos(turn) * FOREARM };
  const limb = (a: typeof from, b: typeof from, colour: string, width: number): void => {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.moveTo(a.x, a.y);
    ctx.lineTo(b.x, b.y);
    ctx.stroke();
  };
  limb(from, bend, '#27426b', 0.62);
  limb(bend, wrist, LOOKS.Ben.skin[1], 0.42);
  for (const finger of [-0.35, -0.12, 0.12, 0.35]) {
    const tip = { x: wrist.x + side * Math.sin(turn + finger) * 0.75, y: wrist.y + Math.cos(turn + finger) * 0.75 };
    limb(wrist, tip, LOOKS.Ben.skin[1], 0.17);
  }
}
