(** * Result 2, in angles

    Chapters 5 and 6. Real numbers, real angles: the risk bound as the chapter writes it, its
    infimum, and the rate. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From mathcomp Require Import boolp classical_sets reals topology normedtype derive.
From mathcomp Require Import sequences exp trigo.
From Distillation Require Import linear mistakes angles risk_bound.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Import numFieldNormedType.Exports.
Local Open Scope ring_scope.

(** The norm $\|u\|$, and the acute angle $\bar\alpha(x)$ between [x] and the line of [w]. *)
Definition norm (R : realType) d (u : 'cV[R]_d) : R := Num.sqrt ‖u‖².
Definition acute_angle (R : realType) d (x w : 'cV[R]_d) : R :=
  acos (`|w ⋅ x| / (norm w * norm x)).

(** The angle tail $p(\theta) = \Pr[\bar\alpha(x) \ge \theta]$. *)
Definition angle_tail (R : realType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (theta : R) : R :=
  prob P (fun t => theta <= acute_angle (x t) ws).

Lemma pihalf_gt0 (R : realType) : 0 < pi / 2%:R :> R.
Proof. by rewrite (lt_le_trans ltr01) // pihalf_ge1. Qed.

Section Angles.
Variables (R : realType) (d : nat).
Implicit Types (x w : 'cV[R]_d) (theta : R).

Lemma norm_sqr x : norm x ^+ 2 = ‖x‖².
Proof. by rewrite sqr_sqrtr ?sqnorm_ge0. Qed.

Lemma cos_sqr x w : (`|w ⋅ x| / (norm w * norm x)) ^+ 2 = cos2 x w.
Proof.
rewrite expr_div_n exprMn !norm_sqr real_normK ?num_real //.
by rewrite /cos2 dotC [‖w‖² * _]mulrC.
Qed.

Lemma cos_ge0 x w : 0 <= `|w ⋅ x| / (norm w * norm x).
Proof. by rewrite divr_ge0 // mulr_ge0 // sqrtr_ge0. Qed.

Lemma cos_le1 x w : `|w ⋅ x| / (norm w * norm x) <= 1.
Proof. by rewrite -(@expr_le1 _ 2) ?cos_ge0 // cos_sqr cos2_le1. Qed.

Lemma cos_pos theta : 0 <= theta <= pi / 2%:R -> 0 <= cos theta.
Proof.
case/andP=> h0 h1; apply: cos_ge0_pihalf; rewrite h1 andbT (le_trans _ h0) //.
by rewrite oppr_le0 ltW // pihalf_gt0.
Qed.

(** A larger angle is a smaller cosine. *)
Lemma acute_angleE x w theta : 0 <= theta <= pi / 2%:R ->
  (theta <= acute_angle x w) = (cos2 x w <= cos theta ^+ 2).
Proof.
move=> ht; rewrite -cos_sqr; set c := _ / _.
have c0 : 0 <= c := cos_ge0 x w; have c1 : c <= 1 := cos_le1 x w.
rewrite ler_sqr ?nnegrE ?cos_pos //.
have cB : -1 <= c <= 1 by rewrite c1 andbT (le_trans _ c0) // oppr_le0 ler01.
have tpi : theta \in `[0, pi].
  case/andP: ht => h0 h1; rewrite in_itv /= h0 (le_trans h1) //.
  by rewrite ler_pdivr_mulr ?ltr0n // ler_pemulr ?pi_ge0 ?ler1n.
have -> : c = cos (acute_angle x w) by rewrite /acute_angle -/c acosK // in_itv.
rewrite [LHS]leNgt [RHS]leNgt; congr (~~ _).
rewrite ltr_cos // in_itv /=.
by rewrite /acute_angle -/c acos_ge0 // acos_lepi.
Qed.

Lemma angle_tailE (T : finType) (P : T -> R) (x : T -> 'cV[R]_d) ws theta :
  0 <= theta <= pi / 2%:R -> angle_tail P x ws theta = tail P x ws (cos theta ^+ 2).
Proof. by move=> h; apply: eq_bigl => t; rewrite acute_angleE. Qed.

End Angles.

(** Chapter 5, thm-bound: $\mathbb{E} R \le p(\beta) + p(\pi/2 - \beta)^n$ for every angle. *)
Theorem risk_bound_angle (R : realType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) (beta : R) :
  let p := angle_tail P x ws in
  is_law P -> 0 <= beta <= pi / 2%:R ->
  expected_risk P x n ws <= p beta + p (pi / 2%:R - beta) ^+ n.
Proof.
move=> p law hb; rewrite /p angle_tailE // angle_tailE; last first.
  by case/andP: hb => h0 h1; rewrite subr_ge0 h1 ler_subl_addr ler_addl.
have -> : cos (pi / 2%:R - beta) ^+ 2 = 1 - cos beta ^+ 2.
  by rewrite -sin2cos2; congr (_ ^+ 2); rewrite cosB cos_pihalf sin_pihalf mul0r mul1r add0r.
exact: risk_bound.
Qed.

(** Chapter 5, thm-bound, as it is displayed, with the infimum over all angles. *)
Theorem risk_bound_inf (R : realType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) :
  let p := angle_tail P x ws in
  is_law P ->
  expected_risk P x n ws
    <= inf [set p beta + p (pi / 2%:R - beta) ^+ n | beta in [set b | 0 <= b <= pi / 2%:R]].
Proof.
move=> p law; apply: lb_le_inf.
  by exists (p 0 + p (pi / 2%:R - 0) ^+ n); exists 0 => //=; rewrite lexx ltW // pihalf_gt0.
by move=> _ [beta hb <-]; apply: risk_bound_angle.
Qed.

(** The power $a^\kappa$ of a number that isn't negative, $0^\kappa = 0$. *)
Definition power (R : realType) (a kappa : R) : R := if a == 0 then 0 else expR (kappa * ln a).

Section Powers.
Variable R : realType.
Implicit Types a b kappa : R.

Lemma power_ge0 a kappa : 0 <= power a kappa.
Proof. by rewrite /power; case: ifP => // _; apply/ltW/expR_gt0. Qed.

Lemma powerX a kappa n : (0 < n)%N -> power a kappa ^+ n = power a (kappa * n%:R).
Proof.
move=> n0; rewrite /power; case: ifP => _; first by rewrite expr0n gtn_eqF.
by rewrite -expRMm mulrA [n%:R * _]mulrC.
Qed.

Lemma powerM a b kappa : 0 <= a -> 0 < b -> power (a / b) kappa = power a kappa / power b kappa.
Proof.
move=> a0 b0; rewrite /power mulf_eq0 invr_eq0 (gt_eqF b0) orbF.
have [_|na] := eqVneq a 0; first by rewrite mul0r.
have pa : 0 < a by rewrite lt_def na.
by rewrite ln_div ?posrE // mulrBr expRD expRN.
Qed.

(** $1 - a \le e^{-a}$, so that $(1 - a)^{\kappa n} \le e^{-\kappa n a}$. *)
Lemma one_minus_le a : 0 <= a -> 1 - a <= expR (- a).
Proof.
move=> a0; have na : - a <= 0 by rewrite oppr_le0.
have [|c] := @MVT_segment _ (@expR R) (@expR R) _ _ na.
  by apply: continuous_subspaceT => c; apply: continuous_expR.
rewrite in_itv /= => /andP[_ c0]; rewrite expR0 sub0r opprK => e.
rewrite ler_subl_addr -ler_subl_addl e -[X in _ <= X]mul1r ler_wpmul2r //.
by rewrite -expR0 ler_expR.
Qed.

Lemma power_one_minus a kappa n : 0 <= a < 1 -> 0 < kappa -> (0 < n)%N ->
  power (1 - a) kappa ^+ n <= expR (- (kappa * n%:R * a)).
Proof.
case/andP=> a0 a1 k0 n0; rewrite powerX // /power subr_eq0 gt_eqF //.
have k1 : 0 < kappa * n%:R by rewrite mulr_gt0 ?ltr0n.
rewrite ler_expR -mulrN ler_pmul2l // -ler_expR lnK ?one_minus_le //.
by rewrite posrE subr_gt0.
Qed.

End Powers.

(** Chapter 6, cor-rate, the step that needs no inputs: for a tail of easiness $\kappa$ there is an
    angle at which the bound is at most $(1 + (\log n)^\kappa) / n^\kappa$. *)
Theorem easiness_rate (R : realType) (p : R -> R) (kappa : R) (n : nat) :
  0 < kappa -> (0 < n)%N ->
  (forall theta, 0 <= theta <= pi / 2%:R -> 0 <= p theta <= power (1 - 2%:R * theta / pi) kappa) ->
  exists2 beta, 0 <= beta <= pi / 2%:R &
    p beta + p (pi / 2%:R - beta) ^+ n <= (1 + power (ln n%:R) kappa) / power n%:R kappa.
Proof.
move=> k0 n0 easy; pose a : R := ln n%:R / n%:R.
have n1 : (0 : R) < n%:R by rewrite ltr0n.
have l0 : 0 <= ln n%:R :> R by rewrite ln_ge0 // ler1n.
have a01 : 0 <= a < 1.
  apply/andP; split; first by rewrite divr_ge0 // ltW.
  by rewrite /a ltr_pdivr_mulr // mul1r ln_sublinear.
have p0 := pi_gt0 R; have h0 := pihalf_gt0 R.
have two (t : R) : 2%:R * (pi / 2%:R * t) / pi = t.
  by field; rewrite gt_eqF.
have in_range (t : R) : 0 <= t <= 1 -> 0 <= pi / 2%:R * t <= pi / 2%:R.
  by case/andP=> t0 t1; rewrite mulr_ge0 ?(ltW h0) //=; apply: ler_pimulr => //; apply: ltW.
have b01 : 0 <= 1 - a <= 1.
  by case/andP: a01 => a0 a1; rewrite subr_ge0 ltW //= ler_subl_addr ler_addl.
exists (pi / 2%:R * (1 - a)); first exact: in_range.
have -> : pi / 2%:R - pi / 2%:R * (1 - a) = pi / 2%:R * a by ring.
have /andP[_ f1] := easy _ (in_range _ b01).
have a01' : 0 <= a <= 1 by case/andP: a01 => -> /ltW.
have /andP[g0 g1] := easy _ (in_range _ a01').
rewrite two subKr in f1; rewrite two in g1.
rewrite mulrDl mul1r addrC ler_add //; last by rewrite -powerM.
apply: (@le_trans _ _ (power (1 - a) kappa ^+ n)).
  by rewrite ler_expn2r ?nnegrE ?power_ge0.
apply: le_trans (power_one_minus a01 k0 n0) _.
rewrite /power pnatr_eq0 gtn_eqF // -expRN ler_expR /a.
by rewrite -mulrA [n%:R * _]mulrC divfK ?gt_eqF.
Qed.

(** Result 2, the bound: chapter 6, cor-rate. Under the easiness condition
    $p(\theta) \le (1 - 2\theta/\pi)^\kappa$ one has
    $\mathbb{E} R \le (1 + (\log n)^\kappa) / n^\kappa$. *)
Theorem result_2 (R : realType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) (kappa : R) :
  is_law P -> 0 < kappa -> (0 < n)%N ->
  (forall theta, 0 <= theta <= pi / 2%:R ->
     angle_tail P x ws theta <= power (1 - 2%:R * theta / pi) kappa) ->
  expected_risk P x n ws <= (1 + power (ln n%:R) kappa) / power n%:R kappa.
Proof.
move=> law k0 n0 easy.
have [|beta hb hr] := @easiness_rate R (angle_tail P x ws) kappa n k0 n0.
  by move=> theta ht; rewrite easy // prob_ge0.
exact: le_trans (risk_bound_angle x ws n law hb) hr.
Qed.
