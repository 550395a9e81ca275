(** * Result 1: descent on the distillation loss ends at the closed-form student

    Chapter 3, with the logistic function itself. Here [R] are the real numbers. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From mathcomp Require Import boolp classical_sets reals topology normedtype derive.
From mathcomp Require Import sequences realfun exp.
From Distillation Require Import linear span closed_form descent.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Import numFieldNormedType.Exports.
Local Open Scope ring_scope.

(** ** The logistic function *)

(** $\sigma(u) = 1 / (1 + e^{-u})$ *)
Definition logistic (R : realType) (u : R) : R := (1 + expR (- u))^-1.

Section Logistic.
Variable R : realType.
Implicit Types u v m : R.

Lemma denominator u : 0 < 1 + expR (- u).
Proof. by rewrite addr_gt0 ?ltr01 ?expR_gt0. Qed.

Lemma logistic_gt0 u : 0 < logistic u.
Proof. by rewrite invr_gt0 denominator. Qed.

Lemma logisticN u : 1 - logistic u = logistic (- u).
Proof.
rewrite /logistic opprK expRN; have e0 : expR u != 0 by rewrite gt_eqF ?expR_gt0.
have e1 : 1 + expR u != 0 by rewrite gt_eqF // addr_gt0 ?ltr01 ?expR_gt0.
have -> : 1 + (expR u)^-1 = (1 + expR u) / expR u by rewrite mulrDl mul1r divff // addrC.
by rewrite invf_div; apply: (mulIf e1); rewrite mulrBl mul1r divfK // mulVf // addrK.
Qed.

Lemma logistic_mono u v : u < v -> logistic u < logistic v.
Proof. by move=> uv; rewrite ltf_pinv ?posrE ?denominator // ltr_add2l ltr_expR ltr_oppl opprK. Qed.

Lemma logistic_le u v : u <= v -> logistic u <= logistic v.
Proof. by rewrite le_eqVlt => /orP[/eqP ->//|/logistic_mono/ltW]. Qed.

Lemma is_derive_logistic u : is_derive u 1 (@logistic R) (logistic u * (1 - logistic u)).
Proof.
have h1 : is_derive u (1 : R) (fun x : R => - x) (- 1) by apply: is_deriveN.
have h2 : is_derive u (1 : R) (fun x : R => expR (- x)) (expR (- u) * - 1).
  exact: (is_derive1_comp (f := @expR R) (g := fun x : R => - x)).
have h3 : is_derive u (1 : R) (fun x : R => 1 + expR (- x)) (0 + expR (- u) * - 1).
  exact: (is_deriveD (f := fun=> 1)).
have d0 : 1 + expR (- u) != 0 by rewrite gt_eqF // denominator.
have h4 : is_derive u (1 : R) (@logistic R)
    (- (1 + expR (- u)) ^- 2 *: (0 + expR (- u) * - 1))
    := is_deriveV (f := fun x : R => 1 + expR (- x)) d0 h3.
apply: (is_derive_eq h4); rewrite /GRing.scale /= add0r mulrN1 mulrNN.
have -> : 1 - logistic u = expR (- u) / (1 + expR (- u)).
  apply: (mulIf d0); rewrite mulrBl mul1r mulVf // divfK //.
  by rewrite addrAC subrr add0r.
by rewrite -exprVn expr2 -mulrA [_^-1 * expR _]mulrC.
Qed.

(** Every chord has the slope $\sigma'(c)$ somewhere between its ends. *)
Lemma logistic_mvt u v : v < u ->
  exists2 c, v <= c <= u & logistic u - logistic v = logistic c * (1 - logistic c) * (u - v).
Proof.
move=> vu; have := @MVT _ (@logistic R) (fun c => logistic c * (1 - logistic c)) v u vu.
case=> [c _||c cvu e]; first exact: is_derive_logistic.
  apply: continuous_subspaceT => c; apply: differentiable_continuous.
  by apply/derivable1_diffP; case: (is_derive_logistic c).
by exists c => //; rewrite !ltW ?(itvP cvu).
Qed.

Lemma quarter s : s * (1 - s) <= 4%:R^-1 :> R.
Proof.
rewrite -subr_ge0; have -> : 4%:R^-1 - s * (1 - s) = (s - 2%:R^-1) ^+ 2 by field.
exact: sqr_ge0.
Qed.

Lemma slope_sym u v :
  (logistic u - logistic v) / (u - v) = (logistic v - logistic u) / (v - u).
Proof. by rewrite -(opprB v) -(opprB (logistic v)) invrN mulrNN. Qed.

(** Chapter 3, lem-secant: every chord of $\sigma$ has a slope in $(0, \frac14]$. *)
Theorem logistic_chords u v : u != v ->
  0 < (logistic u - logistic v) / (u - v) <= 4%:R^-1.
Proof.
wlog vu : u v / v < u => [H ne|_].
  have [vu|uv|e] := ltgtP v u; first exact: H.
    by rewrite slope_sym; apply: H => //; rewrite eq_sym.
  by rewrite e eqxx in ne.
have [c _ ->] := logistic_mvt vu; rewrite mulfK ?gt_eqF ?subr_gt0 // quarter andbT.
by rewrite mulr_gt0 ?logistic_gt0 // logisticN logistic_gt0.
Qed.

(** Between logits of size $m$ at most, the slopes have a positive floor. *)
Lemma logistic_floor m u v : u != v -> `|u| <= m -> `|v| <= m ->
  logistic (- m) ^+ 2 <= (logistic u - logistic v) / (u - v).
Proof.
wlog vu : u v / v < u => [H ne hu hv|_].
  have [vu|uv|e] := ltgtP v u; first exact: H.
    by rewrite slope_sym; apply: H => //; rewrite eq_sym.
  by rewrite e eqxx in ne.
rewrite !ler_norml => /andP[_ um] /andP[mv _].
have [c /andP[vc cu] ->] := logistic_mvt vu; rewrite mulfK ?gt_eqF ?subr_gt0 //.
rewrite expr2 logisticN ler_pmul ?(ltW (logistic_gt0 _)) //; apply: logistic_le.
  exact: le_trans vc.
by rewrite ler_oppl opprK (le_trans cu).
Qed.

End Logistic.

(** ** Result 1 *)

(** Chapter 3, thm-rate and thm-closed-form, for gradient descent: from any start, with any
    $0 < \eta < 2 / \Lambda$, $w_k \to \bar w = \hat w + P_\perp w_0$. *)
Theorem descent_limit (R : realType) n d (X : 'M[R]_(n, d)) (ws w0 : 'cV[R]_d) (eta Lambda : R) :
  let w := descent (gradient (@logistic R) X (soft_labels (@logistic R) X ws)) (fun=> eta) w0 in
  let wbar := student X ws + projector_perp X *m w0 in
  (0 < n)%N -> smooth X Lambda -> 0 < eta -> eta * Lambda < 2%:R ->
  forall epsilon, 0 < epsilon ->
  exists K : nat, forall k, (K <= k)%N -> ‖w k - wbar‖² < epsilon.
Proof.
move=> w wbar n0 sm eta0 etaL epsilon e0.
pose D := ‖projector X *m w0 - student X ws‖²; have D0 : 0 <= D := sqnorm_ge0 _.
pose us i := input X i ⋅ ws; pose far i := ‖input X i‖² * D.
have far0 i : 0 <= far i by rewrite mulr_ge0 // sqnorm_ge0.
have s0 i : 0 <= `|us i| + (far i + 1) by rewrite !addr_ge0 ?normr_ge0 ?ler01.
pose m := \sum_i (`|us i| + (far i + 1)).
have le_m i : `|us i| + (far i + 1) <= m.
  by rewrite /m (bigD1 i) //= ler_addl; apply: sumr_ge0 => j _; apply: s0.
have m0 : 0 <= m by apply: sumr_ge0 => i _; apply: s0.
pose c := fun _ : 'I_n => logistic (- m) ^+ 2.
have c0 : 0 < logistic (- m) ^+ 2 by rewrite exprn_gt0 // logistic_gt0.
have c4 i : 0 <= c i <= 4%:R^-1.
  rewrite (ltW c0) /=; apply: le_trans (quarter (logistic (- m))).
  rewrite /c expr2 ler_pmul2l ?logistic_gt0 // logisticN opprK.
  by apply: logistic_le; rewrite (le_trans _ m0) // oppr_le0.
have floor i u : u != us i -> (u - us i) ^+ 2 <= far i ->
    c i <= (logistic u - logistic (us i)) / (u - us i).
  move=> ne near; apply: logistic_floor => //; last first.
    by apply: le_trans (le_m i); rewrite ler_addl addr_ge0 ?ler01.
  apply: le_trans (le_m i); rewrite -[u](subrK (us i)) addrC.
  apply: le_trans (ler_norm_add _ _) _; rewrite ler_add2l.
  have [t1|t1] := leP `|u - us i| 1; first by rewrite (le_trans t1) // ler_addr.
  apply: (@le_trans _ _ (far i)); last by rewrite ler_addl ler01.
  apply: le_trans near; have -> : (u - us i) ^+ 2 = `|u - us i| * `|u - us i|.
    by rewrite -expr2 real_normK ?num_real.
  by rewrite ler_pemulr ?normr_ge0 // ltW.
have [mu [mu0 cu]] := curved_exists (c := c) X n0 c0 (fun=> lexx _).
have [rho1 rate] :=
  descent_rate (w0 := w0) n0 (@logistic_chords R) c4 floor sm cu mu0 eta0 etaL.
move: rho1 rate; set rho := Num.max _ _ => rho1 rate.
have [r0|r0] := leP 0 rho.
  have [K HK] := geometric_limit (introT andP (conj r0 rho1)) D0 e0.
  by exists K => k hk; apply: le_lt_trans (rate k) (HK k hk).
(* A negative rho can only be if the span is 0, and then there is no error. *)
have P0 v : in_span X v -> v = 0.
  move=> sv; apply/eqP/negPn/negP => ne.
  have cc i : 0 <= c i <= c i by case/andP: (c4 i) => ->; rewrite lexx.
  have c14 i : c i <= 4%:R^-1 by case/andP: (c4 i).
  by have := rho_ge0 n0 sm cu eta0 cc c14 sv ne; rewrite leNgt -/rho r0.
have D00 : D = 0.
  by rewrite /D (P0 (_ - _)) ?sqnorm0 //; apply: in_spanB; apply: projector_in_span.
by exists 0%N => k _; apply: le_lt_trans (rate k) _; rewrite -/D D00 mulr0.
Qed.

(** Result 1 of the slides: from $w_0 = 0$ descent ends at the closed-form student, ... *)
Theorem descent_from_zero (R : realType) n d (X : 'M[R]_(n, d)) (ws : 'cV[R]_d)
    (eta Lambda : R) :
  let w := descent (gradient (@logistic R) X (soft_labels (@logistic R) X ws)) (fun=> eta) 0 in
  (0 < n)%N -> smooth X Lambda -> 0 < eta -> eta * Lambda < 2%:R ->
  forall epsilon, 0 < epsilon ->
  exists K : nat, forall k, (K <= k)%N -> ‖w k - student X ws‖² < epsilon.
Proof.
move=> w n0 sm eta0 etaL epsilon e0.
by have := descent_limit ws 0 n0 sm eta0 etaL e0; rewrite mulmx0 addr0.
Qed.

(** ... which is the teacher, or its projection, by the rank of the inputs. *)
Theorem result_1 (R : realType) n d (X : 'M[R]_(n, d)) (ws : 'cV[R]_d) (eta Lambda : R) :
  let w := descent (gradient (@logistic R) X (soft_labels (@logistic R) X ws)) (fun=> eta) 0 in
  let what := if (d <= n)%N then ws else X^T *m invmx (X *m X^T) *m X *m ws in
  (0 < n)%N -> \rank X = minn n d -> smooth X Lambda -> 0 < eta -> eta * Lambda < 2%:R ->
  forall epsilon, 0 < epsilon ->
  exists K : nat, forall k, (K <= k)%N -> ‖w k - what‖² < epsilon.
Proof.
move=> w what n0 r sm eta0 etaL epsilon e0.
have := descent_from_zero ws n0 sm eta0 etaL e0.
suff -> : student X ws = what by [].
rewrite /what; have [dn|nd] := leqP d n.
  by apply: closed_form_spanning; rewrite r (minn_idPr dn).
have rn : \rank X = n by rewrite r (minn_idPl (ltnW nd)).
by case: (closed_form_independent ws rn).
Qed.

(** Chapter 10, prop-temperature: on labels $\sigma(w^\star \cdot x_i / T)$ descent from zero ends
    at $\hat w / T$, ... *)
Theorem temperature_limit (R : realType) n d (X : 'M[R]_(n, d)) (ws : 'cV[R]_d)
    (T eta Lambda : R) :
  let y i := logistic (input X i ⋅ ws / T) in
  let w := descent (gradient (@logistic R) X y) (fun=> eta) 0 in
  (0 < n)%N -> smooth X Lambda -> 0 < eta -> eta * Lambda < 2%:R ->
  forall epsilon, 0 < epsilon ->
  exists K : nat, forall k, (K <= k)%N -> ‖w k - T^-1 *: student X ws‖² < epsilon.
Proof.
move=> y w n0 sm eta0 etaL epsilon e0.
have := descent_from_zero (T^-1 *: ws) n0 sm eta0 etaL e0.
have -> : student X (T^-1 *: ws) = T^-1 *: student X ws by rewrite /student -scalemxAr.
suff -> : soft_labels (@logistic R) X (T^-1 *: ws) = y by [].
by apply: funext => i; rewrite /soft_labels /y dotZr mulrC.
Qed.

(** ... which decides like $\hat w$. *)
Theorem temperature_decides (R : realType) n d (X : 'M[R]_(n, d)) (ws x : 'cV[R]_d) (T : R) :
  0 < T -> (0 <= (T^-1 *: student X ws) ⋅ x) = (0 <= student X ws ⋅ x).
Proof. by move=> T0; rewrite dotZl pmulr_rge0 // invr_gt0. Qed.
