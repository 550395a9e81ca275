(** * Descent at depth one

    Chapter 3: every step comes closer to the perfect student that the start belongs to. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From Distillation Require Import linear span.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Local Open Scope ring_scope.

(** ** Definitions *)

(** [smooth X Lambda]: $\Lambda \ge \lambda_{\max}(X^\top X) / (4n)$, that is,
    $\|X v\|^2 \le 4 n \Lambda \|v\|^2$ for all $v$. *)
Definition smooth (R : realFieldType) n d (X : 'M[R]_(n, d)) (Lambda : R) : Prop :=
  forall v : 'cV[R]_d, \sum_(i < n) (input X i ⋅ v) ^+ 2 <= 4%:R * n%:R * Lambda * ‖v‖².

(** [curved X c mu]: $\mu$ is at most the smallest nonzero eigenvalue of
    $\frac1n X^\top \operatorname{diag}(c)\, X$, that is,
    $\mu \|v\|^2 \le \frac1n \sum_i c_i (x_i \cdot v)^2$ for all $v \in S$. *)
Definition curved (R : realFieldType) n d (X : 'M[R]_(n, d)) (c : 'I_n -> R) (mu : R) : Prop :=
  forall v : 'cV[R]_d, in_span X v ->
    mu * ‖v‖² <= n%:R^-1 * \sum_(i < n) c i * (input X i ⋅ v) ^+ 2.

(** $H v$ with $H = \frac1n X^\top \operatorname{diag}(c)\, X$. *)
Definition secant_matrix (R : realFieldType) n d (X : 'M[R]_(n, d)) (c : 'I_n -> R)
    (v : 'cV[R]_d) : 'cV[R]_d :=
  n%:R^-1 *: \sum_(i < n) (c i * (input X i ⋅ v)) *: input X i.

(** ** The secant form *)

Section SecantMatrix.
Variables (R : realFieldType) (n d : nat) (X : 'M[R]_(n, d)) (c : 'I_n -> R).
Implicit Types (u v : 'cV[R]_d).

Lemma secant_dot u v :
  u ⋅ secant_matrix X c v = n%:R^-1 * \sum_i c i * (input X i ⋅ v) * (input X i ⋅ u).
Proof.
rewrite dotZr dot_sumr; congr (_ * _); apply: eq_bigr => i _.
by rewrite dotZr (dotC u).
Qed.

Lemma secant_in_span v : in_span X (secant_matrix X c v).
Proof. exact/in_spanZ/in_span_sum. Qed.

Lemma secant_sym u v : u ⋅ secant_matrix X c v = v ⋅ secant_matrix X c u.
Proof. by rewrite !secant_dot; congr (_ * _); apply: eq_bigr => i _; rewrite mulrAC. Qed.

Lemma secantD u v : secant_matrix X c (u + v) = secant_matrix X c u + secant_matrix X c v.
Proof.
rewrite -scalerDr -big_split; congr (_ *: _); apply: eq_bigr => i _.
by rewrite dotDr mulrDr scalerDl.
Qed.

Lemma secantZ a v : secant_matrix X c (a *: v) = a *: secant_matrix X c v.
Proof.
rewrite scalerA mulrC -scalerA scaler_sumr; congr (_ *: _); apply: eq_bigr => i _.
by rewrite dotZr scalerA mulrCA.
Qed.

Lemma secantB u v : secant_matrix X c (u - v) = secant_matrix X c u - secant_matrix X c v.
Proof. by rewrite -scaleN1r secantD secantZ scaleN1r. Qed.

End SecantMatrix.

(** Chapter 3, lem-secant: $\nabla L(w) = H(w)(w - \bar w)$ for every perfect student $\bar w$,
    where $c_i$ is the slope of the chord of $\sigma$ between the two logits, ... *)
Theorem secant_form (R : realFieldType) n d (sigma : R -> R) (X : 'M[R]_(n, d))
    (ws w wbar : 'cV[R]_d) (c : 'I_n -> R) :
  X *m wbar = X *m ws ->
  (forall i, input X i ⋅ w != input X i ⋅ ws ->
    c i = (sigma (input X i ⋅ w) - sigma (input X i ⋅ ws)) / (input X i ⋅ w - input X i ⋅ ws)) ->
  gradient sigma X (soft_labels sigma X ws) w = secant_matrix X c (w - wbar).
Proof.
move=> perfect hc; congr (_ *: _); apply: eq_bigr => i _; congr (_ *: _).
rewrite dotBr -!logitE perfect !logitE /soft_labels.
have [->|ne] := eqVneq (input X i ⋅ w) (input X i ⋅ ws); first by rewrite !subrr mulr0.
by rewrite hc // divfK // subr_eq0.
Qed.

(** ... and $0 \preceq H \preceq \Lambda I$ if $0 \le c_i \le \frac14$. *)
Theorem secant_bounds (R : realFieldType) n d (X : 'M[R]_(n, d)) (c : 'I_n -> R) (Lambda : R)
    (v : 'cV[R]_d) :
  (0 < n)%N -> (forall i, 0 <= c i <= 4%:R^-1) -> smooth X Lambda ->
  0 <= v ⋅ secant_matrix X c v <= Lambda * ‖v‖².
Proof.
move=> n0 hc sm; rewrite secant_dot; have n1 : 0 < n%:R :> R by rewrite ltr0n.
under eq_bigr do rewrite -mulrA -expr2.
apply/andP; split.
  rewrite mulr_ge0 ?invr_ge0 ?ler0n // sumr_ge0 // => i _.
  by rewrite mulr_ge0 ?sqr_ge0 //; case/andP: (hc i).
rewrite ler_pdivr_mull // -(ler_pmul2l (_ : 0 < 4%:R)) ?ltr0n //.
rewrite !mulrA; apply: le_trans (sm v); rewrite mulr_sumr ler_sum // => i _.
by rewrite mulrA ler_pimull ?sqr_ge0 // -ler_pdivl_mull ?ltr0n // mulr1; case/andP: (hc i).
Qed.

(** ** One step *)

Section OneStep.
Variables (R : realFieldType) (n d : nat) (X : 'M[R]_(n, d)) (c gamma : 'I_n -> R).
Variables (eta Lambda mu : R).
Hypotheses (n0 : (0 < n)%N) (sm : smooth X Lambda) (cu : curved X c mu) (eta0 : 0 < eta).
Hypotheses (hc : forall i, 0 <= c i <= gamma i) (hgamma : forall i, gamma i <= 4%:R^-1).
Let rho := Num.max (1 - eta * mu) (eta * Lambda - 1).
Let A v := v - eta *: secant_matrix X gamma v.

Lemma step_form v : in_span X v -> - rho * ‖v‖² <= v ⋅ A v <= rho * ‖v‖².
Proof.
move=> sv; have v0 := sqnorm_ge0 v.
have g0 i : 0 <= gamma i <= 4%:R^-1.
  by rewrite hgamma andbT; case/andP: (hc i) => /le_trans; apply.
have /andP[_ up] := secant_bounds v n0 g0 sm.
have lo : mu * ‖v‖² <= v ⋅ secant_matrix X gamma v.
  apply: le_trans (cu sv) _; rewrite secant_dot ler_pmul2l ?invr_gt0 ?ltr0n //.
  apply: ler_sum => i _; rewrite -mulrA -expr2 ler_wpmul2r ?sqr_ge0 //.
  by case/andP: (hc i).
rewrite /A dotBr dotZr -/(sqnorm v); apply/andP; split.
  rewrite mulNr ler_oppl opprB ler_subl_addr.
  apply: (@le_trans _ _ (eta * Lambda * ‖v‖²)).
    by rewrite -mulrA ler_pmul2l.
  by rewrite -[X in _ + X]mul1r -mulrDl ler_wpmul2r // -ler_subl_addr le_maxr lexx orbT.
rewrite ler_subl_addr.
apply: (@le_trans _ _ (rho * ‖v‖² + eta * mu * ‖v‖²)).
  by rewrite -mulrDl -[X in X <= _]mul1r ler_wpmul2r // -ler_subl_addr le_maxr lexx.
by rewrite ler_add2l -mulrA ler_pmul2l.
Qed.

Lemma rho_ge0 v : in_span X v -> v != 0 -> 0 <= rho.
Proof.
move=> sv; rewrite -sqnorm_gt0 => v0; rewrite leNgt; apply/negP => r0.
have /andP[h1 h2] := step_form sv; have := le_trans h1 h2.
by rewrite ler_pmul2r // leNgt (lt_trans r0) // oppr_gt0.
Qed.

Lemma step_polar u v : 4%:R * (u ⋅ A v) = (u + v) ⋅ A (u + v) - (u - v) ⋅ A (u - v).
Proof.
rewrite /A !secantB !secantD; have := secant_sym X gamma u v.
move: (secant_matrix X gamma u) (secant_matrix X gamma v) => p q e.
by rewrite !(dotBr, dotBl, dotDr, dotDl, dotNr, dotZr) (dotC v u) e; ring.
Qed.

(** One step shortens an error in the span by the factor $\rho$ at least. *)
Lemma step_contracts e : in_span X e -> ‖A e‖² <= rho ^+ 2 * ‖e‖².
Proof.
move=> se; have [->|ne] := eqVneq e 0.
  by rewrite /A -(scale0r 0) secantZ !scale0r scaler0 subr0 sqnorm0 mulr0.
have r0 := rho_ge0 se ne.
have sA : in_span X (A e) by apply/in_spanB/in_spanZ/secant_in_span.
set N := ‖A e‖²; set E := ‖e‖²; have N0 : 0 <= N := sqnorm_ge0 _.
have key s : 2%:R * s * N <= rho * (s ^+ 2 * N + E).
  rewrite -(ler_pmul2l (_ : 0 < 2%:R)) ?ltr0n //.
  have -> : 2%:R * (2%:R * s * N) = 4%:R * ((s *: A e) ⋅ A e).
    by rewrite dotZl -/(sqnorm (A e)) -/N; ring.
  have su : in_span X (s *: A e) by exact: in_spanZ.
  rewrite step_polar.
  have /andP[_ up] := step_form (in_spanD su se).
  have /andP[lo _] := step_form (in_spanB su se).
  have -> : 2%:R * (rho * (s ^+ 2 * N + E))
          = rho * ‖s *: A e + e‖² - (- rho * ‖s *: A e - e‖²).
    by rewrite sqnormD sqnormB sqnormZ -/N -/E; ring.
  by rewrite ler_sub.
move: r0; rewrite le_eqVlt => /orP[/eqP r0|r0].
  have := key 1; rewrite -r0 mul0r mulr1 pmulr_rle0 ?ltr0n // => h.
  by rewrite expr0n mul0r.
have := key rho^-1.
have -> : rho * (rho^-1 ^+ 2 * N + E) = rho^-1 * (N + rho ^+ 2 * E).
  by field; rewrite gt_eqF.
have -> : 2%:R * rho^-1 * N = rho^-1 * (N + N) by ring.
by rewrite ler_pmul2l ?invr_gt0 // ler_add2l.
Qed.

End OneStep.

(** ** The rate *)

(** Chapter 3, thm-rate, gradient descent. Every chord of $\sigma$ has a slope in
    $(0, \frac14]$; $c_i$ is at most the slope of every chord from $u_i^\star$ to a logit that is
    not farther away than $\|x_i\| D_0$, $D_0 = \|P w_0 - \hat w\|$. Then with
    $\bar w = \hat w + P_\perp w_0$ and $\rho = \max(1 - \eta\mu, \eta\Lambda - 1)$, which is
    less than 1, $\|w_k - \bar w\| \le D_0\, \rho^k$. (Both sides are squared here.) *)
Theorem descent_rate (R : realFieldType) n d (sigma : R -> R) (X : 'M[R]_(n, d))
    (ws w0 : 'cV[R]_d) (c : 'I_n -> R) (eta Lambda mu : R) :
  let wbar := student X ws + projector_perp X *m w0 in
  let D0sq := ‖projector X *m w0 - student X ws‖² in
  let rho := Num.max (1 - eta * mu) (eta * Lambda - 1) in
  let slope u v := (sigma u - sigma v) / (u - v) in
  (0 < n)%N ->
  (forall u v, u != v -> 0 < slope u v <= 4%:R^-1) ->
  (forall i, 0 <= c i <= 4%:R^-1) ->
  (forall i u, u != input X i ⋅ ws -> (u - input X i ⋅ ws) ^+ 2 <= ‖input X i‖² * D0sq ->
    c i <= slope u (input X i ⋅ ws)) ->
  smooth X Lambda -> curved X c mu -> 0 < mu -> 0 < eta -> eta * Lambda < 2%:R ->
  rho < 1 /\
  forall k,
    ‖descent (gradient sigma X (soft_labels sigma X ws)) (fun=> eta) w0 k - wbar‖²
      <= (rho ^+ k) ^+ 2 * D0sq.
Proof.
move=> wbar D0sq rho slope n0 chords c4 floor sm cu mu0 eta0 etaL.
have rho1 : rho < 1.
  rewrite /rho lt_maxl ltr_subl_addr ltr_addl mulr_gt0 //=.
  by rewrite ltr_subl_addr -[1 + 1]/(2%:R).
split=> //.
have perfect : X *m wbar = X *m ws.
  rewrite mulmxDr [X *m (projector_perp X *m _)]mulmxA mulmx_projector_perp mul0mx addr0.
  apply/esym/eqP; rewrite -subr_eq0 -mulmxBr; apply/eqP/orthogonalE.
  exact: projector_orthogonal.
set w := descent _ _ _.
have D00 : 0 <= D0sq by exact: sqnorm_ge0.
suff H k : in_span X (w k - wbar) /\ ‖w k - wbar‖² <= (rho ^+ k) ^+ 2 * D0sq.
  by move=> k; case: (H k).
elim: k => [|k [se le]].
  have -> : w 0%N - wbar = projector X *m w0 - student X ws.
    rewrite /w /= /wbar /projector_perp mulmxBl mul1mx.
    by rewrite opprD opprB addrCA [w0 + _]addrC subrK addrC.
  rewrite expr0 expr1n mul1r lexx; split=> //.
  by apply: in_spanB; apply: projector_in_span.
set e := w k - wbar in se le *.
pose gamma i := if input X i ⋅ w k == input X i ⋅ ws then c i
                else slope (input X i ⋅ w k) (input X i ⋅ ws).
have sf : gradient sigma X (soft_labels sigma X ws) (w k) = secant_matrix X gamma e.
  by apply: secant_form perfect _ => i ne; rewrite /gamma (negbTE ne).
have -> : w k.+1 - wbar = e - eta *: secant_matrix X gamma e.
  by rewrite -sf -[w k.+1]/(w k - eta *: _) addrAC.
split; first exact/in_spanB/in_spanZ/secant_in_span.
have [e0|ne] := eqVneq e 0.
  rewrite e0 -(scale0r 0) secantZ !scale0r scaler0 subr0 sqnorm0.
  by rewrite mulr_ge0 ?sqr_ge0.
have gamma4 i : gamma i <= 4%:R^-1.
  rewrite /gamma; case: eqP => [_|/eqP h]; first by case/andP: (c4 i).
  by case/andP: (chords _ _ h).
have r0 : 0 <= rho.
  by apply: (rho_ge0 (c := c) (gamma := c)) se ne => // i; case/andP: (c4 i) => // -> _; rewrite lexx.
have near : ‖e‖² <= D0sq.
  by apply: le_trans le _; rewrite ler_pimull // -exprM exprn_ile1 // ltW.
have c_le i : 0 <= c i <= gamma i.
  case/andP: (c4 i) => -> _ /=; rewrite /gamma; case: eqP => // /eqP h.
  apply: floor h _.
  have -> : input X i ⋅ w k - input X i ⋅ ws = input X i ⋅ e.
    by rewrite /e dotBr -!logitE perfect.
  apply: le_trans (cauchy_schwarz _ _) _; rewrite ler_wpmul2l ?sqnorm_ge0 //.
apply: le_trans (step_contracts n0 sm cu eta0 c_le gamma4 se) _.
have -> : (rho ^+ k.+1) ^+ 2 * D0sq = rho ^+ 2 * ((rho ^+ k) ^+ 2 * D0sq).
  by rewrite (exprS rho k) exprMn mulrA.
by apply: ler_wpmul2l => //; apply: sqr_ge0.
Qed.

(** ** Where the constants come from *)

(** There is a $\Lambda$, ... *)
Theorem smooth_exists (R : realFieldType) n d (X : 'M[R]_(n, d)) :
  (0 < n)%N -> exists Lambda, smooth X Lambda.
Proof.
move=> n0; exists ((4%:R * n%:R)^-1 * \sum_i ‖input X i‖²) => v.
rewrite mulVKf; last by rewrite mulf_neq0 ?pnatr_eq0 // -lt0n.
by rewrite mulr_suml ler_sum // => i _; apply: cauchy_schwarz.
Qed.

(** ... and a $\mu > 0$ if all $c_i > 0$: no vector but 0 of the span is orthogonal to all
    inputs. *)
Theorem curved_exists (R : realFieldType) n d (X : 'M[R]_(n, d)) (c : 'I_n -> R) (c0 : R) :
  (0 < n)%N -> 0 < c0 -> (forall i, c0 <= c i) -> exists mu, 0 < mu /\ curved X c mu.
Proof.
move=> n0 c00 hc; have n1 : 0 < n%:R :> R by rewrite ltr0n.
have [M PM] : exists M, projector X = M *m X.
  apply/submxP; have [B [eqB _ ->]] := projector_basis X.
  by apply: submx_trans (submxMl _ _) _; rewrite eqB.
pose F := \sum_j ‖(row j M)^T‖².
have F0 : 0 <= F by apply: sumr_ge0 => j _; apply: sqnorm_ge0.
have F1 : 0 < F + 1 by rewrite (lt_le_trans ltr01) // ler_addr.
exists (c0 / (n%:R * (F + 1))); split; first by rewrite divr_gt0 // mulr_gt0.
move=> v sv; set T := \sum_i _.
have T0 : c0 * ‖X *m v‖² <= T.
  rewrite mulr_sumr ler_sum // => i _; rewrite -expr2 logitE ler_wpmul2r ?sqr_ge0 //.
have vF : ‖v‖² <= F * ‖X *m v‖².
  rewrite -{1}(projector_id sv) PM -mulmxA mulr_suml ler_sum // => j _.
  rewrite -expr2; have -> : (M *m (X *m v)) j 0 = (row j M)^T ⋅ (X *m v).
    by rewrite dotE trmxK -row_mul [RHS]mxE.
  exact: cauchy_schwarz.
have Xv0 := sqnorm_ge0 (X *m v).
rewrite invfM mulrCA -mulrA ler_pmul2l ?invr_gt0 //.
apply: le_trans T0; rewrite mulrAC -mulrA ler_pmul2l // ler_pdivr_mulr // mulrC.
apply: le_trans vF _; rewrite ler_wpmul2r // ler_addl ler01 //.
Qed.

(** A geometric bound tends to 0. *)
Theorem geometric_limit (R : archiFieldType) (rho D epsilon : R) :
  0 <= rho < 1 -> 0 <= D -> 0 < epsilon ->
  exists K : nat, forall k, (K <= k)%N -> (rho ^+ k) ^+ 2 * D < epsilon.
Proof.
case/andP=> r0 r1 D0 e0; move: r0; rewrite le_eqVlt => /orP[/eqP <-|r0].
  by exists 1%N => k k0; rewrite expr0n eqn0Ngt k0 expr0n mul0r.
pose x := rho^-1 - 1; have x0 : 0 < x by rewrite subr_gt0 invf_gt1.
have xE : rho^-1 = 1 + x by rewrite addrC subrK.
have bern k : 1 + k%:R * x <= (1 + x) ^+ k.
  elim: k => [|k IH]; first by rewrite mul0r addr0 expr0.
  rewrite exprS; have x1 : 0 <= 1 + x by rewrite addr_ge0 ?ler01 // ltW.
  apply: le_trans (ler_wpmul2l x1 IH).
  have -> : (1 + x) * (1 + k%:R * x) = 1 + k.+1%:R * x + k%:R * (x * x).
    by rewrite -[k.+1]addn1 natrD; ring.
  by rewrite ler_addl mulr_ge0 ?ler0n // mulr_ge0 // ltW.
have q0 : 0 <= D / (epsilon * x) by rewrite divr_ge0 // ltW // mulr_gt0.
exists (Num.bound (D / (epsilon * x))) => k hk.
have lt : D / (epsilon * x) < k%:R by apply: lt_le_trans (archi_boundP q0) _; rewrite ler_nat.
move: lt; rewrite ltr_pdivr_mulr ?mulr_gt0 // => lt.
have rk : 0 < rho ^+ k by rewrite exprn_gt0.
apply: (@le_lt_trans _ _ (rho ^+ k * D)).
  by rewrite ler_wpmul2r // expr2 ler_pimulr ?(ltW rk) // exprn_ile1 // ltW.
rewrite -ltr_pdivl_mull // -exprVn xE.
apply: (lt_le_trans lt); rewrite mulrCA [X in _ <= X]mulrC ler_pmul2l //.
by apply: le_trans (bern k); rewrite ler_addr ler01.
Qed.
