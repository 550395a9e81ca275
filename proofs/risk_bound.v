(** * The risk bound, for every finite distribution

    Chapters 5 and 6. A finite distribution is a finite type [T] of kinds of inputs, the probability
    [P t] of each kind, and its input [x t]. A transfer set of [n] independent inputs is a function
    [s] from the [n] places to the kinds, and its probability is the product over the places. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From Distillation Require Import linear closed_form mistakes angles.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Local Open Scope ring_scope.

(** ** Definitions *)

Section Definitions.
Variables (R : realFieldType) (T : finType) (P : T -> R).

(** The weights [P] are probabilities. *)
Definition is_law : Prop := (forall t, 0 <= P t) /\ \sum_t P t = 1.

(** The probability of an event, for one input. *)
Definition prob (E : pred T) : R := \sum_(t | E t) P t.

(** The probability of a transfer set of [n] independent inputs, and the expectation over all. *)
Definition weight n (s : {ffun 'I_n -> T}) : R := \prod_(i < n) P (s i).
Definition expectation n (F : {ffun 'I_n -> T} -> R) : R := \sum_s weight s * F s.

Variables (d : nat) (x : T -> 'cV[R]_d).

(** The matrix of the inputs of a transfer set, one a row. *)
Definition inputs n (s : {ffun 'I_n -> T}) : 'M[R]_(n, d) := \matrix_(i < n, j < d) x (s i) j 0.

(** The transfer risk $R$ of a student [w]: how probable an input is at which it decides otherwise
    than the teacher [ws]. *)
Definition transfer_risk (w ws : 'cV[R]_d) : R := prob (fun t => misjudged w ws (x t)).

(** The angle tail $p(\theta) = \Pr[\bar\alpha(x) \ge \theta]$ at $q = \cos^2\theta$, as
    $\bar\alpha(x) \ge \theta$ says that $\cos^2\bar\alpha(x) \le \cos^2\theta$. So
    $p(\pi/2 - \theta)$ is the tail at $1 - q$. *)
Definition tail (ws : 'cV[R]_d) (q : R) : R := prob (fun t => cos2 (x t) ws <= q).

(** $\cos^2 M_n$, where $M_n$ is the angle of the best input of a transfer set. *)
Definition best_cos2 n (ws : 'cV[R]_d) (s : {ffun 'I_n -> T}) : R :=
  \big[Order.max/0]_(i < n) cos2 (x (s i)) ws.

(** $\mathbb{E} R$: the expected transfer risk of the closed-form student of [n] inputs. *)
Definition expected_risk n (ws : 'cV[R]_d) : R :=
  expectation (fun s : {ffun 'I_n -> T} => transfer_risk (student (inputs s) ws) ws).

(** The part of [w] across the teacher, orthogonal to [ws]; and the mirror orthogonal to [v], which
    turns the component along [v] round. *)
Definition across (w ws : 'cV[R]_d) : 'cV[R]_d := w - (w ⋅ ws / ‖ws‖²) *: ws.
Definition mirror (v : 'cV[R]_d) : 'M[R]_d := 1%:M - (2%:R / ‖v‖²) *: (v *m v^T).

(** The law is axially symmetric about the teacher: no orthogonal map that fixes [ws] changes the
    probability of any input. *)
Definition axially_symmetric (ws : 'cV[R]_d) : Prop :=
  forall O : 'M[R]_d, O^T *m O = 1%:M -> O *m ws = ws ->
  forall v, prob (fun t => O *m x t == v) = prob (fun t => x t == v).

(** A finite law can be so in the plane. In more dimensions it can only if all its inputs lie on the
    teacher's line, and this is what the proof needs: the mirror that exchanges the two sides of the
    student [w] changes the probability of no input. *)
Definition mirrored (w ws : 'cV[R]_d) : Prop :=
  forall v, prob (fun t => mirror (across w ws) *m x t == v) = prob (fun t => x t == v).

End Definitions.

(** ** Probabilities *)

Section Probabilities.
Variables (R : realFieldType) (T : finType) (P : T -> R).
Hypothesis law : is_law P.
Implicit Types E F : pred T.

Lemma probE E : prob P E = \sum_t P t * (E t)%:R.
Proof. by rewrite /prob big_mkcond; apply: eq_bigr => t _; case: (E t); rewrite ?mulr1 ?mulr0. Qed.

Lemma prob_ge0 E : 0 <= prob P E.
Proof. by apply: sumr_ge0 => t _; apply: law.1. Qed.

Lemma prob_le E F : (forall t, P t != 0 -> E t -> F t) -> prob P E <= prob P F.
Proof.
move=> h; rewrite !probE; apply: ler_sum => t _.
have [->|p0] := eqVneq (P t) 0; first by rewrite !mul0r.
rewrite ler_wpmul2l ?law.1 // ler_nat; move: (h t p0).
by case: (E t); case: (F t) => // /(_ isT).
Qed.

Lemma prob_true : prob P xpredT = 1.
Proof. exact: law.2. Qed.

Lemma prob_le1 E : prob P E <= 1.
Proof. by rewrite -prob_true prob_le. Qed.

Lemma prob0 E : (forall t, P t != 0 -> ~~ E t) -> prob P E = 0.
Proof.
move=> h; rewrite /prob big1 // => t Et; apply/eqP/negPn/negP => p0.
by move: (h t p0); rewrite Et.
Qed.

Lemma prob_eq0 E t : prob P E = 0 -> P t != 0 -> ~~ E t.
Proof.
move=> h p0; apply/negP => Et; move/eqP: p0; apply.
by apply: (psumr_eq0P _ h) => // i _; apply: law.1.
Qed.

Lemma prob_or E F : prob P (fun t => E t || F t) <= prob P E + prob P F.
Proof.
rewrite !probE -big_split /=; apply: ler_sum => t _; rewrite -mulrDr.
rewrite ler_wpmul2l ?law.1 // -natrD ler_nat.
by case: (E t); case: (F t).
Qed.

Lemma weight_ge0 n (s : {ffun 'I_n -> T}) : 0 <= weight P s.
Proof. by apply: prodr_ge0 => i _; apply: law.1. Qed.

Lemma weight_neq0 n (s : {ffun 'I_n -> T}) i : weight P s != 0 -> P (s i) != 0.
Proof. by move=> h; apply: contraNneq h => h; rewrite /weight (bigD1 i) //= h mul0r. Qed.

Lemma expectation_le n (F G : {ffun 'I_n -> T} -> R) :
  (forall s, weight P s != 0 -> F s <= G s) -> expectation P F <= expectation P G.
Proof.
move=> h; apply: ler_sum => s _.
have [->|w0] := eqVneq (weight P s) 0; first by rewrite !mul0r.
by rewrite ler_wpmul2l ?weight_ge0 // h.
Qed.

Lemma expectationD n (F G : {ffun 'I_n -> T} -> R) :
  expectation P (fun s => F s + G s) = expectation P F + expectation P G.
Proof. by rewrite /expectation -big_split; apply: eq_bigr => s _; rewrite mulrDr. Qed.

Lemma expectationZ n a (F : {ffun 'I_n -> T} -> R) :
  expectation P (fun s => a * F s) = a * expectation P F.
Proof. by rewrite mulr_sumr; apply: eq_bigr => s _; rewrite mulrCA. Qed.

(** Independence: all inputs of the transfer set are in [E] with the [n]th power of the probability
    of one. *)
Lemma expectation_all n E :
  expectation P (fun s : {ffun 'I_n -> T} => [forall i, E (s i)]%:R) = prob P E ^+ n.
Proof.
transitivity (\prod_(i < n) \sum_t P t * (E t)%:R); last first.
  by rewrite prodr_const card_ord probE.
rewrite bigA_distr_bigA; apply: eq_bigr => s _; rewrite big_split; congr (_ * _).
have [/forallP h|/forallPn[i h]] := boolP [forall i, E (s i)].
  by rewrite big1 // => i _; rewrite h.
by rewrite (bigD1 i) //= (negbTE h) mul0r.
Qed.

Lemma expectation_const n a : expectation P (fun s : {ffun 'I_n -> T} => a) = a.
Proof.
transitivity (a * expectation P (fun s : {ffun 'I_n -> T} => [forall i, xpredT (s i)]%:R)).
  rewrite -expectationZ; apply: eq_bigr => s _; congr (_ * _).
  have -> : [forall i, xpredT (s i)] by apply/forallP.
  by rewrite mulr1.
by rewrite (expectation_all n xpredT) prob_true expr1n mulr1.
Qed.

End Probabilities.

Lemma input_inputs (R : realFieldType) (T : finType) d (x : T -> 'cV[R]_d) n (s : {ffun 'I_n -> T})
    i : input (inputs x s) i = x (s i).
Proof. by apply/matrixP => j k; rewrite ord1 !mxE. Qed.

Section OneTransferSet.
Variables (R : realFieldType) (d : nat) (ws : 'cV[R]_d).
Variables (T : finType) (x : T -> 'cV[R]_d) (n : nat) (s : {ffun 'I_n -> T}).
Let what := student (inputs x s) ws.

Lemma inputs_le i : cos2 (x (s i)) ws <= cos2 what ws.
Proof. by rewrite -input_inputs student_beats_inputs. Qed.

Lemma best_cos2_le : best_cos2 x ws s <= cos2 what ws.
Proof.
apply: (big_ind (fun a => a <= cos2 what ws)) => [|a b ha hb|i _]; first exact: cos2_ge0.
  by rewrite le_maxl ha hb.
exact: inputs_le.
Qed.

Lemma best_cos2P q : 0 <= q -> (best_cos2 x ws s <= q) = [forall i, cos2 (x (s i)) ws <= q].
Proof.
move=> q0; apply/idP/forallP => [h i|h].
  apply: le_trans h; rewrite /best_cos2.
  have : i \in index_enum [finType of 'I_n] by rewrite mem_index_enum.
  elim: (index_enum _) => // j r IH; rewrite inE big_cons le_maxr.
  by case/orP=> [/eqP->|/IH->]; rewrite ?lexx ?orbT.
by apply: (big_ind (fun a => a <= q)) => // a b ha hb; rewrite le_maxl ha hb.
Qed.

End OneTransferSet.

Lemma expectation_far (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) n (a c : R) :
  is_law P ->
  expectation P (fun s : {ffun 'I_n -> T} => a + [forall i, cos2 (x (s i)) ws <= c]%:R)
    = a + tail P x ws c ^+ n.
Proof.
move=> law; rewrite expectationD (expectation_const law).
by rewrite (expectation_all P n (fun t => cos2 (x t) ws <= c)).
Qed.

(** ** The bound *)

(** Chapter 5, thm-bound, with a law [Q] of the test inputs and another [P] of the transfer set:
    each tail in its place. *)
Theorem risk_bound_two_laws (R : realFieldType) d (ws : 'cV[R]_d)
    (T : finType) (P : T -> R) (x : T -> 'cV[R]_d)
    (U : finType) (Q : U -> R) (y : U -> 'cV[R]_d) (n : nat) (q : R) :
  is_law P -> is_law Q ->
  expectation P (fun s : {ffun 'I_n -> T} => transfer_risk Q y (student (inputs x s) ws) ws)
    <= tail Q y ws q + tail P x ws (1 - q) ^+ n.
Proof.
move=> lawP lawQ.
rewrite -(expectation_far x ws n _ _ lawP).
apply: (expectation_le lawP) => s _; set what := student _ ws.
have [_|/forallPn[i far]] := boolP [forall i, cos2 (x (s i)) ws <= 1 - q].
  by rewrite ler_paddl ?prob_ge0 ?prob_le1.
rewrite addr0; apply: (prob_le lawQ) => t _ m; rewrite leNgt; apply/negP => close.
have hA : 1 - q < cos2 what ws.
  by apply: lt_le_trans (inputs_le ws x s i); rewrite ltNge.
have := misjudged_close_call m; rewrite -/what leNgt; case/negP.
by apply: lt_trans close; rewrite ltr_subl_addr -ltr_subl_addl.
Qed.

(** Chapter 5, thm-bound: $\mathbb{E} R \le p(\beta) + p(\pi/2 - \beta)^n$ for every finite
    distribution, every [n] and every $\beta$; [q] is $\cos^2\beta$. *)
Theorem risk_bound (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) (q : R) :
  is_law P ->
  expected_risk P x n ws <= tail P x ws q + tail P x ws (1 - q) ^+ n.
Proof. by move=> law; apply: risk_bound_two_laws. Qed.

(** Chapter 5, thm-bound, its first claim without the density: if the inputs span the space, the
    transfer risk is 0 ... *)
Theorem risk_spanning (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    n (X : 'M[R]_(n, d)) (ws : 'cV[R]_d) :
  \rank X = d -> transfer_risk P x (student X ws) ws = 0.
Proof.
move=> r; rewrite (closed_form_spanning ws r).
by rewrite /transfer_risk /prob big_pred0 // => t; rewrite /misjudged eqxx.
Qed.

(** ... so that the expected risk is at most the probability that they don't. *)
Theorem expected_risk_rank (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) :
  is_law P ->
  0 <= expected_risk P x n ws
    <= expectation P (fun s : {ffun 'I_n -> T} => (\rank (inputs x s) != d)%:R).
Proof.
move=> law; apply/andP; split.
  by apply: sumr_ge0 => s _; rewrite mulr_ge0 ?weight_ge0 ?prob_ge0.
apply: (expectation_le law) => s _; have [r|_] := eqVneq (\rank (inputs x s)) d.
  by rewrite (risk_spanning _ _ _ r).
exact: prob_le1.
Qed.

(** ** The bound without a free angle *)

(** Chapter 5, thm-sharp-bound, for every transfer set: $R \le p(\pi/2 - A) \le p(\pi/2 - M_n)$. *)
Theorem sharp_bound (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) (s : {ffun 'I_n -> T}) :
  let what := student (inputs x s) ws in
  is_law P ->
  transfer_risk P x what ws <= tail P x ws (1 - cos2 what ws)
    <= tail P x ws (1 - best_cos2 x ws s).
Proof.
move=> what law; apply/andP; split; apply: (prob_le law) => t _.
  exact: misjudged_close_call.
by move/le_trans; apply; rewrite ler_sub // best_cos2_le.
Qed.

(** Chapter 5, thm-sharp-bound, in the mean: $\mathbb{E} R \le \Pr[\bar\alpha(x) + M_n \ge \pi/2]$,
    where $\bar\alpha + M_n \ge \pi/2$ says that $\cos^2\bar\alpha + \cos^2 M_n \le 1$; and this
    is never more than the bound of thm-bound. *)
Theorem sharp_bound_mean (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) (q : R) :
  is_law P ->
  expected_risk P x n ws
    <= expectation P (fun s : {ffun 'I_n -> T} =>
         prob P (fun t => cos2 (x t) ws + best_cos2 x ws s <= 1))
    <= tail P x ws q + tail P x ws (1 - q) ^+ n.
Proof.
move=> law; apply/andP; split.
  apply: (expectation_le law) => s _.
  have /andP[h1 h2] := sharp_bound x ws s law; apply: (le_trans (le_trans h1 h2)).
  by apply: (prob_le law) => t _; rewrite ler_subr_addr.
rewrite -(expectation_far x ws n _ _ law).
apply: (expectation_le law) => s _; have [q1|q1] := leP q 1; last first.
  rewrite ler_paddr ?ler0n //; apply: (prob_le law) => t _ _.
  by apply: le_trans (cos2_le1 _ _) _; apply: ltW.
rewrite -best_cos2P ?subr_ge0 //; have [_|far] := leP (best_cos2 x ws s) (1 - q).
  by rewrite ler_paddl ?prob_ge0 ?prob_le1.
rewrite addr0; apply: (prob_le law) => t _ h.
rewrite -(ler_add2r (best_cos2 x ws s)) (le_trans h) //.
by rewrite -ler_subl_addl ltW.
Qed.

(** ** Both sides are equally likely *)

Section Mirror.
Variables (R : realFieldType) (d : nat) (ws : 'cV[R]_d).
Implicit Types (u v w : 'cV[R]_d).

Lemma mirrorE v w : mirror v *m w = w - (2%:R * (v ⋅ w) / ‖v‖²) *: v.
Proof.
rewrite mulmxBl mul1mx -scalemxAl -mulmxA dot_mx mul_mx_scalar scalerA.
by congr (_ - _ *: _); rewrite mulrAC.
Qed.

Lemma mirror_dot v w1 w2 : v != 0 -> (mirror v *m w1) ⋅ (mirror v *m w2) = w1 ⋅ w2.
Proof.
move=> v0; have nz : ‖v‖² != 0 by rewrite sqnorm_eq0.
rewrite !mirrorE dotBl !dotBr !dotZl !dotZr -/(sqnorm v) (dotC w1 v).
by field.
Qed.

Lemma mirror_fix v w : v ⋅ w = 0 -> mirror v *m w = w.
Proof. by move=> h; rewrite mirrorE h mulr0 mul0r scale0r subr0. Qed.

Lemma mirrorK v w : v != 0 -> mirror v *m (mirror v *m w) = w.
Proof.
move=> v0; have nz : ‖v‖² != 0 by rewrite sqnorm_eq0.
rewrite {1}mirrorE mirrorE dotBr dotZr -/(sqnorm v) -addrA -opprD -scalerDl.
rewrite [X in X *: _](_ : _ = 0) ?scale0r ?subr0 //.
by field.
Qed.

Lemma mirror_sym v : (mirror v)^T = mirror v.
Proof. by rewrite /mirror linearB linearZ /= trmx1 trmx_mul trmxK. Qed.

Lemma mirror_orthogonal v : v != 0 -> (mirror v)^T *m mirror v = 1%:M.
Proof.
move=> v0; apply/matrixP => i j; rewrite mirror_sym.
have /matrixP/(_ i 0) := mirrorK (delta_mx j 0) v0.
by rewrite mulmxA -colE -[delta_mx j 0]mul1mx -colE !mxE.
Qed.

(** A student on the teacher's side misjudges an input or its mirror image, never both, if the
    mirror is orthogonal to what the student has across the teacher. *)
Lemma misjudged_one_side w u (v := across w ws) :
  0 < w ⋅ ws -> v != 0 -> ~~ (misjudged w ws u && misjudged w ws (mirror v *m u)).
Proof.
move=> side v0; have w0 : 0 < ‖ws‖².
  by rewrite sqnorm_gt0; apply: contraTneq side => ->; rewrite dot0r ltxx.
have vws : v ⋅ ws = 0 by rewrite /v /across dotBl dotZl -/(sqnorm ws) divfK ?subrr ?gt_eqF.
have wv : w ⋅ v = ‖v‖².
  by rewrite /sqnorm {2}/v /across dotBl dotZl -/(across w ws) -/v [ws ⋅ v]dotC vws mulr0 subr0.
have sum : w ⋅ u + w ⋅ (mirror v *m u) = 2%:R * (w ⋅ ws / ‖ws‖²) * (ws ⋅ u).
  rewrite mirrorE dotBr dotZr wv divfK ?sqnorm_eq0 // /v /across dotBl dotZl.
  by ring.
have same : ws ⋅ (mirror v *m u) = ws ⋅ u.
  by rewrite mirrorE dotBr dotZr [ws ⋅ v]dotC vws mulr0 subr0.
rewrite /misjudged same; apply/negP.
have c0 : 0 < 2%:R * (w ⋅ ws / ‖ws‖²) by rewrite mulr_gt0 ?ltr0n // divr_gt0.
have [a0|a0] := leP 0 (ws ⋅ u).
  have [//|b1] := leP 0 (w ⋅ u); have [//|b2 _] := leP 0 (w ⋅ (mirror v *m u)).
  have : w ⋅ u + w ⋅ (mirror v *m u) < 0 by rewrite -(addr0 0) ltr_add.
  by rewrite sum ltNge mulr_ge0 // ltW.
have [b1|//] := leP 0 (w ⋅ u); have [b2 _|//] := leP 0 (w ⋅ (mirror v *m u)).
have : 0 <= w ⋅ u + w ⋅ (mirror v *m u) by rewrite addr_ge0.
by rewrite sum leNgt pmulr_rlt0 ?a0.
Qed.

End Mirror.

Section Values.
Variables (R : realFieldType) (T : finType) (P : T -> R) (d : nat).

Lemma prob_values (V : seq 'cV[R]_d) (f : T -> 'cV[R]_d) (E : pred 'cV[R]_d) :
  uniq V -> (forall t, f t \in V) ->
  prob P (fun t => E (f t)) = \sum_(v <- V | E v) prob P (fun t => f t == v).
Proof.
move=> u inV; rewrite /prob (exchange_big_dep xpredT) //= big_mkcond; apply: eq_bigr => t _.
rewrite big_mkcond (bigD1_seq (f t)) //= eqxx andbT big1 ?addr0 // => v ne.
by rewrite [f t == v]eq_sym (negbTE ne) andbF.
Qed.

(** What doesn't change the probability of any value changes that of no event. *)
Lemma prob_same_law (f g : T -> 'cV[R]_d) (E : pred 'cV[R]_d) :
  (forall v, prob P (fun t => f t == v) = prob P (fun t => g t == v)) ->
  prob P (fun t => E (f t)) = prob P (fun t => E (g t)).
Proof.
move=> h; pose V := undup (map f (enum T) ++ map g (enum T)).
have inV t : (f t \in V) * (g t \in V).
  by rewrite !mem_undup !mem_cat !(map_f _ (mem_enum T t)) orbT.
rewrite !(@prob_values V) ?undup_uniq // => [|t|t]; rewrite ?inV //.
by apply: eq_bigr => v _.
Qed.

End Values.

(** Chapter 5, thm-sharp-bound, its second half, from the mirror alone: if it exchanges the
    student's sides without changing the law, and $\hat w \ne 0$, then $R \le \frac12 p(\pi/2 - A)$. *)
Theorem sharp_bound_mirrored (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) (s : {ffun 'I_n -> T}) :
  let what := student (inputs x s) ws in
  is_law P -> mirrored P x what ws -> what != 0 ->
  transfer_risk P x what ws <= tail P x ws (1 - cos2 what ws) / 2%:R.
Proof.
move=> what law sym nz.
have side : 0 < what ⋅ ws by rewrite student_dot_teacher sqnorm_gt0.
have w0 : 0 < ‖ws‖².
  by rewrite sqnorm_gt0; apply: contraTneq side => ->; rewrite dot0r ltxx.
pose v := across what ws.
rewrite ler_pdivl_mulr ?ltr0n // mulr_natr mulr2n.
have [v0|v0] := eqVneq v 0.
  have ew : what = (what ⋅ ws / ‖ws‖²) *: ws by apply/eqP; rewrite -subr_eq0; apply/eqP.
  have r0 : transfer_risk P x what ws = 0.
    apply: prob0 => t _; rewrite /misjudged negbK {1}ew dotZl pmulr_rge0 //.
    by rewrite divr_gt0.
  by rewrite r0 addr0 prob_ge0.
have vws : v ⋅ ws = 0 by rewrite /v /across dotBl dotZl -/(sqnorm ws) divfK ?subrr ?gt_eqF.
have fix_ws := mirror_fix vws.
have cosO u : cos2 (mirror v *m u) ws = cos2 u ws.
  by rewrite /cos2 -{1 2}fix_ws /sqnorm !mirror_dot.
rewrite {2}/transfer_risk -(prob_same_law (misjudged what ws) sym).
rewrite /transfer_risk !probE -big_split /tail probE.
apply: ler_sum => t _; rewrite /= -mulrDr ler_wpmul2l ?law.1 // -natrD ler_nat.
have := misjudged_one_side (x t) side v0.
have := @misjudged_close_call _ _ _ (inputs x s) ws (x t).
have := @misjudged_close_call _ _ _ (inputs x s) ws (mirror v *m x t).
rewrite cosO -/what -/v.
move: (cos2 _ _ <= _) (misjudged _ _ (x t)) (misjudged _ _ _) => c m m'.
by case: m; case: m'; case: c => //= h1 h2; rewrite ?(h1 isT) ?(h2 isT).
Qed.

(** Chapter 5, thm-sharp-bound, its second half: if the law is axially symmetric about the teacher
    and $\hat w \ne 0$, then $R \le \frac12 p(\pi/2 - A)$ ... *)
Theorem sharp_bound_half (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) (s : {ffun 'I_n -> T}) :
  let what := student (inputs x s) ws in
  is_law P -> axially_symmetric P x ws -> what != 0 ->
  transfer_risk P x what ws <= tail P x ws (1 - cos2 what ws) / 2%:R.
Proof.
move=> what law sym nz; apply: sharp_bound_mirrored => // v; rewrite -/what.
have [->|a0] := eqVneq (across what ws) 0.
  have -> : mirror (0 : 'cV[R]_d) = 1%:M by rewrite /mirror mul0mx scaler0 subr0.
  by apply: eq_bigl => t; rewrite mul1mx.
apply: sym; first exact: mirror_orthogonal.
apply: mirror_fix; have w0 : ‖ws‖² != 0.
  apply: contraNneq nz => /eqP; rewrite sqnorm_eq0 => /eqP ws0.
  by rewrite /what /student ws0 mulmx0.
by rewrite /across dotBl dotZl -/(sqnorm ws) divfK ?subrr.
Qed.

(** ... and in the mean, $\mathbb{E} R \le \frac12 \Pr[\bar\alpha(x) + M_n \ge \pi/2]$, if no
    transfer set that can occur has the student 0. *)
Theorem sharp_bound_half_mean (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) :
  is_law P -> axially_symmetric P x ws ->
  (forall s : {ffun 'I_n -> T}, weight P s != 0 -> student (inputs x s) ws != 0) ->
  expected_risk P x n ws
    <= expectation P (fun s : {ffun 'I_n -> T} =>
         prob P (fun t => cos2 (x t) ws + best_cos2 x ws s <= 1)) / 2%:R.
Proof.
move=> law sym nz; rewrite mulrC -expectationZ; apply: (expectation_le law) => s /nz ns.
have /andP[_ h2] := sharp_bound x ws s law.
apply: le_trans (sharp_bound_half law sym ns) _; rewrite mulrC ler_wpmul2l ?invr_ge0 ?ler0n //.
apply: le_trans h2 _.
by apply: (prob_le law) => t _; rewrite ler_subr_addr.
Qed.

(** ** Inputs with a margin *)

(** Chapter 6, cor-margin: if $p(\gamma) = 0$, then $\mathbb{E} R \le p(\pi/2 - \gamma)^n$; [g] is
    $\cos^2\gamma$. *)
Theorem margin_bound (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) (g : R) :
  is_law P -> tail P x ws g = 0 ->
  expected_risk P x n ws <= tail P x ws (1 - g) ^+ n.
Proof. by move=> law h; have := risk_bound x ws n g law; rewrite h add0r. Qed.

(** Chapter 6, prop-margin-sharp, its first claim: even the power [n + 1], if there is an
    input ... *)
Theorem margin_bound_sharp (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) (g : R) :
  is_law P -> tail P x ws g = 0 -> (0 < n)%N ->
  expected_risk P x n ws <= tail P x ws (1 - g) ^+ n.+1.
Proof.
move=> law h n0; have i0 := Ordinal n0.
rewrite exprS -(expectation_all P n (fun t => cos2 (x t) ws <= 1 - g)) -expectationZ.
apply: (expectation_le law) => s pos; set what := student _ ws.
have aligned : g < cos2 what ws.
  apply: lt_le_trans (inputs_le ws x s i0); rewrite ltNge.
  exact: (prob_eq0 law h) (weight_neq0 i0 pos).
have far t : P t != 0 -> misjudged what ws (x t) -> cos2 (x t) ws <= 1 - g.
  move=> _ /misjudged_close_call m; apply: le_trans m _.
  by rewrite ler_sub // ltW.
have [_|/forallPn[i close]] := boolP [forall i, cos2 (x (s i)) ws <= 1 - g].
  by rewrite mulr1; apply: (prob_le law).
rewrite mulr0 /transfer_risk prob0 // => t p0; apply/negP => m.
move/negP: close; apply; apply: le_trans (inputs_le ws x s i) _.
have := misjudged_close_call m; rewrite -/what ler_subr_addr addrC -ler_subr_addr.
move/le_trans; apply; rewrite ler_sub // ltW // ltNge.
exact: (prob_eq0 law h) p0.
Qed.

(** ... and its second claim: if $\gamma \le \pi/4$, a single input is enough. *)
Theorem margin_one_input (R : realFieldType) (T : finType) (P : T -> R) d (x : T -> 'cV[R]_d)
    (ws : 'cV[R]_d) (n : nat) (g : R) (s : {ffun 'I_n -> T}) :
  is_law P -> tail P x ws g = 0 -> 2%:R^-1 <= g -> (0 < n)%N -> weight P s != 0 ->
  transfer_risk P x (student (inputs x s) ws) ws = 0.
Proof.
move=> law h half n0 pos; have i0 := Ordinal n0; set what := student _ ws.
have aligned : g < cos2 what ws.
  apply: lt_le_trans (inputs_le ws x s i0); rewrite ltNge.
  exact: (prob_eq0 law h) (weight_neq0 i0 pos).
apply: prob0 => t p0; apply/negP => /misjudged_close_call; rewrite -/what leNgt; case/negP.
apply: (@lt_le_trans _ _ g); last by rewrite ltW // ltNge; apply: (prob_eq0 law h) p0.
rewrite ltr_subl_addr; apply: (@le_lt_trans _ _ (g + g)); last by rewrite ltr_add2l.
by rewrite -mulr2n -[g *+ 2]mulr_natl -ler_pdivr_mull ?ltr0n // mulr1.
Qed.
